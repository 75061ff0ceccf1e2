"""What every schedule does."""

from __future__ import annotations

from tests.contracts.conftest import Store


def test_a_job_that_never_ran_has_no_last_tick(store: Store) -> None:
    assert store.schedule.last("sweep") is None


def test_each_job_remembers_its_own_last_tick(store: Store) -> None:
    store.schedule.done("sweep", 300)
    store.schedule.done("report", 1)
    store.schedule.done("sweep", 600)
    assert store.schedule.last("sweep") == 600
    assert store.schedule.last("report") == 1
