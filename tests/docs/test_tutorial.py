"""The tutorial works from top to bottom: fewer customers, the same commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, lines

_VERSION = re.compile(r"\b[0-9a-f]{16}\b")
_PAYMENT = re.compile(r"txn-[0-9a-f]{16}")
_TOLD = re.compile(r"^(?:model|policy) ([0-9a-f]{16}) ", re.MULTILINE)


def test_each_command_of_the_tutorial_leads_to_the_next(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    versions: dict[str, str] = {}
    for line in lines(ROOT / "docs" / "tutorial.md"):
        command = line.command.replace("--customers 500", "--customers 60")
        command = _VERSION.sub(partial(here, versions), command)
        command = _PAYMENT.sub(lambda _: first_payment(tmp_path), command)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        # What was told on the page is another version here: of other customers.
        versions |= dict(zip(_TOLD.findall(line.answer), _TOLD.findall(done.stdout), strict=False))


def here(versions: Mapping[str, str], shown: re.Match[str]) -> str:
    """The version that stands for the one on the page."""
    return versions.get(shown[0], shown[0])


def first_payment(folder: Path) -> str:
    """Any that was decided."""
    return (folder / "history.csv").read_text().splitlines()[1].partition(",")[0]
