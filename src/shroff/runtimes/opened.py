"""An installation as the commands see it, on one machine or on AWS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from shroff.core.policy import Policy
from shroff.ports import (
    Alerts,
    DeadLetters,
    Labels,
    LearnedLabels,
    Ledger,
    Lists,
    Models,
    Policies,
    Queue,
    Reports,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a command may ask, wherever it is kept."""

    currency: str
    """The currency of a transaction that names none."""
    queue: Queue
    ledger: Ledger
    dead_letters: DeadLetters
    policies: Policies
    models: Models
    lists: Lists
    labels: Labels
    learned: LearnedLabels
    """The labels as they were learned."""
    label_days: int | None
    """After how many days the labels of a day are taken to have come; None where reports read no labels."""
    alerts: Alerts
    reports: Reports
    settled: Callable[[], int]
    """A place in the queue up to which nothing waits any more, so that nobody looks there again."""
    in_order: bool
    """Whether the ledger's history comes in the order of `seq`, as one worker's does."""
    ready: Callable[[Policy], AbstractContextManager[None]]
    """While it lasts, a policy may be published: what it remembers of entities is complete.

    Raises Rejected for a policy that would remember more of an entity than can be kept.
    """
