from __future__ import annotations

import pytest

from tests.zips.built import ROOT
from zips import Unpackable
from zips.closure import closure, sources


def test_an_import_inside_a_function_counts() -> None:
    assert "shroff.runtimes.demo.play" in closure("shroff.cli.demo").modules


def test_a_package_around_a_module_counts() -> None:
    assert {"shroff", "shroff.core"} <= closure("shroff.core.money").modules


def test_what_imports_a_module_does_not_count() -> None:
    assert "shroff.flows" not in closure("shroff.core.money").modules


def test_the_standard_library_is_not_named_and_numba_is_done_without() -> None:
    assert closure("shroff.core.compiled").imported == {"numpy"}


def test_files_beside_the_modules_of_a_package_go_with_it() -> None:
    found = dict(sources({"shroff.flows.report"}, ROOT / "src"))
    assert "shroff/flows/report/templates/report.html" in found
    assert "shroff/flows/report/__init__.py" in found
    assert "shroff/flows/report/page.py" not in found


def test_a_package_does_not_take_the_files_of_the_packages_in_it() -> None:
    assert not [name for name, _ in sources({"shroff"}, ROOT / "src") if "templates" in name]


def test_every_file_that_is_no_module_has_a_package_that_takes_it() -> None:
    # A file in a folder that no package's import leads to would be missing from every zip.
    source = ROOT / "src"
    packages = [
        ".".join(path.parent.relative_to(source).parts) for path in sorted(source.rglob("__init__.py"))
    ]
    taken = {name for name, _ in sources(packages, source)}
    others = (
        path for path in (source / "shroff").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    assert {path.relative_to(source).as_posix() for path in others if path.suffix != ".py"} <= taken


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(Unpackable, match=r"there is no module shroff\.nowhere"):
        closure("shroff.nowhere")
