"""One local cloud for all stories of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cloud import process
from tests.cloud.cloud import DIST, Cloud, Doorbell, codes
from tests.cloud.functions import python_3_11
from tests.cloud.platform import Platform
from tests.cloud.program import apply

FUNCTIONS = ("api-handler", "queue-consumer", "batch-processor", "report-generator")


def missing() -> str | None:
    """Why the local cloud cannot be built here, if it cannot."""
    absent = [name for name in FUNCTIONS if not (DIST / f"{name}.zip").exists()]
    if absent:
        return f"the zips of {', '.join(absent)} are not made: make package"
    return None if python_3_11() else "Lambda's Python 3.11 is not installed here"


@contextmanager
def running(folder: Path, suffix: str = "test", dist: Path = DIST, **configuration: str) -> Iterator[Cloud]:
    """The program, applied, with its functions ready to run; permissions are enforced."""
    bell = Doorbell().open()
    moto = process.start(bell.address, folder / "moto.log")
    cloud = None
    try:
        settings = {f"shroff:{name}": value for name, value in configuration.items()}
        applied, outputs = apply(moto, settings, suffix, dist)
        moto.enforce()
        cloud = Cloud(moto, applied, outputs, codes(applied, folder), Platform(moto))
        bell.cloud = cloud
        with pytest.MonkeyPatch.context() as patch:
            for name, value in moto.environment().items():
                patch.setenv(name, value)
            yield cloud
    finally:
        if cloud is not None:
            cloud.close()
        bell.close()
        moto.stop()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if reason := missing():
        pytest.skip(reason)
    # Two shards: moto answers a query by walking the table, and a report asks one for each window and shard.
    with running(tmp_path_factory.mktemp("cloud"), shards="2") as made:
        yield made
