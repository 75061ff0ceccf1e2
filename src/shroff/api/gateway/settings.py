"""What the gateway is given: its limits, and the ports through which it asks the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shroff.api.gateway.request import Ask
from shroff.flows.figures import Figures
from shroff.ports import Clock, DeadLetters, Key, Labels, Ledger, Policies, Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The gateway's limits."""

    currency: str = "USD"
    """Of transactions that name none."""
    high_water: int = 100_000
    """Messages in flight from which on nothing more is accepted."""
    max_body: int = 256 * 1024
    """Bytes of one transaction."""
    batch_lines: int = 10_000
    batch_bytes: int = 16 * 1024 * 1024
    body_timeout: int = 10_000
    """Milliseconds for which a body is waited for, and a second more for each 256 KiB."""
    decision_timeout: int = 5_000
    """Milliseconds for which POST /decisions waits for its decision."""
    require_key: bool = True
    most_pending: int = 20_000
    """Entries that may wait for the disk at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPorts:
    """What the routes ask of the world, in every runtime."""

    reader: Queue
    ledger: Ledger
    dead_letters: DeadLetters
    policies: Policies
    in_flight: Callable[[], int]
    """How many were accepted and are not decided yet."""
    ask: Ask
    labels: Labels
    keep: Ask
    """As `ask`, for what writes and may take its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPorts:
    """What the gateway asks of the world.

    `queue` is appended to by one thread and `labels` by another; all the others are asked by a third. So
    `reader`, which reads the same queue, is another connection where one is for one thread at a time.
    """

    queue: Queue
    reader: Queue
    ledger: Ledger
    dead_letters: DeadLetters
    policies: Policies
    labels: Labels
    label_counts: Callable[[], dict[str, int]]
    changed: Callable[[], int]
    """A number that differs once the ledger may have changed; asked each millisecond while somebody waits."""
    clock: Clock
    keys: Callable[[], Iterable[Key]] = tuple
    figures: Callable[[], Figures | None] = lambda: None
    """What the newest report found."""
    close: Callable[[], None] = lambda: None
    """Called once, after the last append."""
