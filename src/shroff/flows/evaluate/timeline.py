"""History as it went: day after day features are measured, labels become known, a queue is looked at.

A label is learned before the first transaction that occurs when it is known, and never before its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.labels import Labelled
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.protocol import DAY

NEVER = np.iinfo(np.int64).max
TOGETHER = 100_000
"""Transactions of days that are lived through together."""

Measure = Callable[[State, Batch, Labelled | None, Array | None], Array]
"""`core.observe.observe`, or what stands in for it."""


@dataclass(slots=True, kw_only=True)
class Timeline:
    """A history while it is lived through."""

    policy: Policy
    history: History
    measure: Measure
    known_at: Array
    """[n] int64 ms when each label becomes known; changed as reviews are made."""
    state: State = field(init=False)
    learned: Array = field(init=False)
    """[n] bool: whose label the state has moved past."""

    def __post_init__(self) -> None:
        self.state = self.policy.empty_state()
        self.learned = np.zeros(len(self.history), bool)

    def rows(self, start: int, end: int) -> slice:
        """The transactions that occurred in [start, end) ms."""
        return span(self.history, start, end)

    def live(self, rows: slice, end: int) -> Array:
        """Features [m, f] of the next rows, with the labels learned that become known before `end` ms."""
        batch = taken(self.history.batch, rows)
        due = np.flatnonzero(~self.learned[: rows.stop] & (self.known_at[: rows.stop] < end))
        self.learned[due] = True
        labelled, before = interleaved(self.history, due, self.known_at[due], rows)
        return self.measure(self.state, batch, labelled, before)


def span(history: History, start: int, end: int) -> slice:
    """The transactions that occurred in [start, end) ms."""
    first, last = np.searchsorted(history.batch.occurred_at, [start, end])
    return slice(int(first), int(last))


def days_together(history: History, most: int = TOGETHER) -> Iterator[tuple[int, int]]:
    """Spans of whole days in ms that cover a history, the longest with no more transactions than that.

    Where nothing is looked at in between, days may be lived through together: an entity's transactions are
    observed while its records are near.
    """
    when = history.batch.occurred_at
    start, last = int(when[0]) // DAY * DAY, int(when[-1])
    while start <= last:
        end = start + DAY
        rows = span(history, start, end)
        while end <= last and span(history, start, end + DAY).stop - rows.start <= most:
            end += DAY
        yield start, end
        start = end


def maturing(history: History, delay: int) -> Array:
    """When each label becomes known, where nobody looks earlier: so many ms after its transaction."""
    when: Array = np.where(history.labelled, history.batch.occurred_at + delay, NEVER)
    return when


def interleaved(history: History, due: Array, known_at: Array, rows: slice) -> tuple[Labelled, Array]:
    """Labels in the order in which they are learned, and before which of the rows [m] each is."""
    order = np.argsort(known_at, kind="stable")
    due, known_at = due[order], known_at[order]
    before = np.searchsorted(history.batch.occurred_at[rows], known_at, side="left")
    # With no delay at all a label would be known at its own transaction, which must not see it.
    before = np.maximum.accumulate(np.maximum(before, due - rows.start + 1)) if len(due) else before
    labelled = Labelled(
        batch=taken(history.batch, due), fraud=history.fraud[due], known_at=known_at.astype(np.int64)
    )
    return labelled, before.astype(np.int64)
