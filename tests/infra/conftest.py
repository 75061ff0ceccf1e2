"""The stacks that the tests of the program look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.settings import Settings
from tests.infra.declared import World, declare, zips


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zips(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def world(dist: Path) -> World:
    return declare(Settings(suffix="prod", alarm_emails=["on-call@example.com"]), dist)
