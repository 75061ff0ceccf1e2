"""Links lead somewhere, blocks can be read, and nothing names a machine."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp|mnt|private)/")
_REGISTRY = re.compile(r"pypi\.org|pythonhosted|npmjs|crates\.io|proxy\.golang|docker\.io|ghcr\.io|index-url")
FILES = sorted({*PAGES, *(ROOT / "examples").glob("*.*"), *(ROOT / "docs").glob("*.*")})


def anchors(page: Path) -> set[str]:
    """The places that a page's headings make."""
    headings = re.findall(
        r"^#+ (.+)$",
        re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL),
        re.MULTILINE,
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page.read_text())):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_toml_and_json_can_be_read(page: Path) -> None:
    for block in blocks(page.read_text(), "toml"):
        assert tomllib.loads(block)
    for block in blocks(page.read_text(), "json"):
        try:
            json.loads(block)
        except ValueError:  # one object a line
            assert [json.loads(line) for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_python_compiles(page: Path) -> None:
    for block in blocks(page.read_text(), "python"):
        compile(block, page.name, "exec")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_names_a_machine_or_a_registry(file: Path) -> None:
    said = file.read_text(encoding="utf-8")
    assert _MACHINE.findall(said) == []
    assert _REGISTRY.findall(said) == []


def test_every_fence_is_closed() -> None:
    assert [page.name for page in PAGES if len(re.findall(r"^```", page.read_text(), re.MULTILINE)) % 2] == []


def test_the_picture_of_the_flow_stands_alone() -> None:
    picture = (ROOT / "docs" / "flow.svg").read_text()
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "viewBox" in root.attrib
    assert "prefers-color-scheme: dark" in picture
    assert re.findall(r"href|url\(http|<script|@import", picture) == []
