from __future__ import annotations

from pathlib import Path

import pytest

from tests.zips.built import ROOT, copied, pack


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's code as it is when the tests begin: somebody may be writing on."""
    return copied(ROOT, tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="session")
def dist(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the zip of every function."""
    folder = tmp_path_factory.mktemp("dist")
    pack(code, folder)
    return folder
