"""What the parts of the memory store share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock

from shroff.core.alert import Alert
from shroff.ports import DeadLetter, Label, Message, Record

CHUNK = 5_000
"""Records handed over at once."""


@dataclass(slots=True, kw_only=True)
class Shelves:
    """Everything by its id, in the order in which it came; one change at a time."""

    records: dict[str, Record] = field(default_factory=dict)
    retries: dict[str, tuple[int, Message]] = field(default_factory=dict)
    """Transaction id → (due_at, message)."""
    letters: dict[str, DeadLetter] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    """In the order of arrival: a label's number is its place, from 1."""
    learned: list[tuple[int, int]] = field(default_factory=list)
    """(number, seq of the record just before which it was learned), in that order."""
    passed: set[int] = field(default_factory=set)
    put_off: dict[int, int] = field(default_factory=dict)
    """Number of a label → until when it is not looked for."""
    changes: int = 0
    """How often anything changed."""
    lock: RLock = field(default_factory=RLock)

    def taken(self) -> set[int]:
        """The numbers of labels that were learned or passed."""
        return self.passed | {number for number, _ in self.learned}

    @contextmanager
    def changing(self) -> Iterator[None]:
        """No other thread changes or copies anything meanwhile."""
        with self.lock:
            self.changes += 1
            yield
