"""Every adapter that answers the ports of the queue and the store. Another one joins by one more line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from shroff.adapters.memory import MemoryQueue, MemoryStore
from shroff.adapters.sqlite import SqliteQueue, SqliteStore
from shroff.ports import Alerts, DeadLetters, Deliveries, Keys, Ledger, Lists, Policies, Queue, Schedule


class Store(Protocol):
    """All ports but the queue, over one store."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def schedule(self) -> Schedule: ...


@dataclass(frozen=True)
class Adapter:
    """How to have an empty queue and an empty store, as often as a test likes."""

    queue: Callable[[], Queue]
    store: Callable[[], Store]


def memory(_: Path) -> Adapter:
    return Adapter(queue=MemoryQueue, store=MemoryStore)


def sqlite(folder: Path) -> Adapter:
    numbers = count()
    return Adapter(
        queue=lambda: SqliteQueue(folder / f"queue-{next(numbers)}.db"),
        store=lambda: SqliteStore(folder / f"store-{next(numbers)}.db"),
    )


ADAPTERS = (memory, sqlite)


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.__name__)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Adapter:
    made: Adapter = request.param(tmp_path)
    return made


@pytest.fixture
def queue(adapter: Adapter) -> Queue:
    return adapter.queue()


@pytest.fixture
def store(adapter: Adapter) -> Store:
    return adapter.store()
