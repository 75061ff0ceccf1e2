"""Every adapter that answers the ports of the queue and the store; another joins as one more parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
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


@contextmanager
def memory(_: Path) -> Iterator[Adapter]:
    yield Adapter(queue=MemoryQueue, store=MemoryStore)


@contextmanager
def sqlite(folder: Path) -> Iterator[Adapter]:
    numbers = count()
    with ExitStack() as opened:
        yield Adapter(
            queue=lambda: opened.enter_context(closing(SqliteQueue(folder / f"queue-{next(numbers)}.db"))),
            store=lambda: opened.enter_context(closing(SqliteStore(folder / f"store-{next(numbers)}.db"))),
        )


@pytest.fixture(params=[memory, sqlite], ids=["memory", "sqlite"])
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Adapter]:
    with request.param(tmp_path) as made:
        yield made


@pytest.fixture
def queue(adapter: Adapter) -> Queue:
    return adapter.queue()


@pytest.fixture
def store(adapter: Adapter) -> Store:
    return adapter.store()
