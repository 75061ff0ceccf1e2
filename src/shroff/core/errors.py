"""The two families of failure that a message can meet.

::

    Exception
    ├── Rejected      never retried: answered 4xx, or dead-lettered at once
    │   └── Damaged   of what is on disk: no message's fault, so no message suffers for it
    └── Retryable     redelivered with backoff, dead-lettered after the last attempt
        ├── Contended  another worker was there first: the same again, at once, will do
        ├── Repeated   some of it was decided before: the rest again, at once, will do
        └── TooLarge   more than one commit can hold: the halves will do

Anything else is a bug: it propagates, is logged once and the message is redelivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input."""

    field: str
    problem: str


class Rejected(Exception):
    """Input that can never be accepted, with every fault found in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.problem for fault in self.faults))


class Damaged(Rejected):
    """Data on disk that cannot be read any more: nothing may be decided by it."""


class Retryable(Exception):
    """A failure of the world (a busy disk, a lost connection) that another attempt may not meet."""


class Contended(Retryable):
    """Another worker has changed what this commit builds on."""


class Repeated(Retryable):
    """A commit held decisions of transactions that were decided before."""

    def __init__(self, transaction_ids: Iterable[str]) -> None:
        self.transaction_ids = frozenset(transaction_ids)
        super().__init__(f"decided before: {', '.join(sorted(self.transaction_ids))}")


class TooLarge(Retryable):
    """More than one commit can hold."""
