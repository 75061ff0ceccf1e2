"""Every adapter that answers the ports of the queue and the store; another joins as one more parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol, cast

import pytest

from shroff.adapters.memory import MemoryQueue, MemoryStore
from shroff.adapters.sqlite import SqliteQueue, SqliteStore
from shroff.ports import (
    Alerts,
    DeadLetters,
    Deliveries,
    Entities,
    Keys,
    LateMarks,
    LearnedLabels,
    Ledger,
    Lists,
    Models,
    Policies,
    Queue,
    Schedule,
    SharedLabels,
)
from tests.adapters.aws_cloud import cloud


class SharedStore(Protocol):
    """What a store for many workers has as well."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def entities(self) -> Entities: ...
    @property
    def marks(self) -> LateMarks: ...
    @property
    def labels(self) -> SharedLabels: ...


class Store(Protocol):
    """All ports but the queue, over one store."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def models(self) -> Models: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def labels(self) -> LearnedLabels: ...
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
    many: int = 100_000
    """How many are many to it; a local cloud is no quick one."""
    batch: int = 1_000
    """What one commit can hold."""


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


@contextmanager
def aws(_: Path) -> Iterator[Adapter]:
    with cloud() as environment:
        yield Adapter(
            queue=lambda: environment().queue,
            # Of the channels and the keys of the gateway it has none: SNS and API Gateway do that.
            store=lambda: cast("Store", environment()),
            many=400,
            batch=90,
        )


def only(*adapters: Callable[[Path], object]) -> pytest.MarkDecorator:
    """For a test of what only these promise."""
    return pytest.mark.parametrize("adapter", adapters, ids=lambda each: each.__name__, indirect=True)


ONE_WORKER = only(memory, sqlite)
"""What only one worker can promise: one order, in which all is numbered, and retries by its own clock."""
MANY_WORKERS = only(memory, aws)
"""What is needed where many workers share the entities' state."""


@pytest.fixture(params=[memory, sqlite, aws], ids=lambda each: each.__name__)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Adapter]:
    with request.param(tmp_path) as made:
        yield made


@pytest.fixture
def queue(adapter: Adapter) -> Queue:
    return adapter.queue()


@pytest.fixture
def store(adapter: Adapter) -> Store:
    return adapter.store()
