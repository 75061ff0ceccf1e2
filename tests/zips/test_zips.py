"""What `make package` makes: the same each time, whole, and nothing that is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.zips.built import copied, pack, touched, unpacked
from zips.archive import UNZIPPED, ZIPPED
from zips.bytecode import same_python
from zips.functions import HANDLERS, SERVICES

FUNCTIONS = sorted(HANDLERS)

runs_here = pytest.mark.skipif(
    not same_python() or sys.platform != "linux", reason="the zips hold modules for Python 3.11 on Linux"
)


def names(dist: Path, function: str) -> list[str]:
    with ZipFile(dist / f"{function}.zip") as archive:
        return archive.namelist()


def isolated(folder: Path, program: str) -> str:
    """What a program prints that can import nothing but the standard library and one zip's files."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"
    python = [sys.executable, "-I", "-S", "-B", "-c", start]
    run = subprocess.run(python, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_another_machine_makes_the_same_bytes(code: Path, dist: Path, tmp_path: Path) -> None:
    # In another order too: what was compiled before must not be seen in what is compiled next.
    other = touched(copied(code, tmp_path))
    settings = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    pack(other, tmp_path / "dist", *reversed(HANDLERS), umask=0o077, **settings)
    for function in FUNCTIONS:
        zipped = f"{function}.zip"
        assert (tmp_path / "dist" / zipped).read_bytes() == (dist / zipped).read_bytes(), function


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_is_within_the_limits(dist: Path, function: str) -> None:
    path = dist / f"{function}.zip"
    assert path.stat().st_size <= ZIPPED
    with ZipFile(path) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) <= UNZIPPED


@runs_here
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_imported_from_its_zip_alone(dist: Path, function: str) -> None:
    folder = unpacked(dist, function)
    module = HANDLERS[function]
    program = f"import {module} as module, sys; print(callable(module.handler), sys.flags.isolated)"
    assert isolated(folder, program).split() == ["True", "1"]


@runs_here
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_module_of_ours_in_a_zip_is_importable_there(dist: Path, function: str) -> None:
    # The imports inside functions, too: a module that is left out would be missed when a customer pays.
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in names(dist, function)
        if name.startswith("shroff/") and name.endswith(".py")
    ]
    program = f"import importlib\nfor each in {modules!r}: importlib.import_module(each)\nprint('all')"
    assert isolated(unpacked(dist, function), program) == "all\n"


@runs_here
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_service_that_is_called_has_its_description(dist: Path, function: str) -> None:
    program = f"""
import boto3
session = boto3.Session("a", "b", region_name="eu-west-1")
for each in {SERVICES!r}: session.client(each)
print("all")"""
    assert isolated(unpacked(dist, function), program) == "all\n"


@runs_here
def test_lambda_compiles_nothing_when_it_starts(dist: Path) -> None:
    function = "queue-consumer"
    program = f"""
import importlib._bootstrap_external as loading
def compiled(*_): raise AssertionError(_)
loading.SourceLoader.source_to_code = compiled
import {HANDLERS[function]}
print("none")"""
    assert isolated(unpacked(dist, function), program) == "none\n"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_holds_nothing_that_its_function_does_not_import(dist: Path, function: str) -> None:
    rooms = {name.split("/")[0].removesuffix(".py") for name in names(dist, function)}
    code = {room for room in rooms if not room.endswith((".dist-info", ".libs")) and room != "__pycache__"}
    run = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
    page = {"jinja2", "markupsafe"} if function == "report-generator" else set()
    assert code == {"shroff", "msgspec", "numpy", "structlog"} | run | page


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_has_no_tests_stubs_or_services_that_nobody_calls(dist: Path, function: str) -> None:
    paths = names(dist, function)
    assert not [name for name in paths if "/tests/" in name or name.endswith((".pyi", ".a", ".h", ".pxd"))]
    data = {name.split("/")[2] for name in paths if name.startswith("botocore/data/") and name.count("/") > 2}
    assert data == set(SERVICES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_licences_travel_with_the_code(dist: Path, function: str) -> None:
    paths = names(dist, function)
    packages = {name.split("/")[0] for name in paths if ".dist-info/" in name}
    texts = {name.split("/")[0] for name in paths if ".dist-info/" in name and "METADATA" not in name}
    assert packages == texts
    assert packages


def test_the_report_has_its_page_and_the_others_have_not(dist: Path) -> None:
    page = "shroff/flows/report/templates/report.html"
    assert [function for function in FUNCTIONS if page in names(dist, function)] == ["report-generator"]
