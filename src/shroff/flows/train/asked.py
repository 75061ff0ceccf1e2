"""What a training is asked for, and what it asks of whoever grows the trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.model import Model
from shroff.core.thresholds import Costs

Show = Callable[[int, int], None]
"""Told how much of a phase is done, and how many rows that were."""

Track = Callable[[str, int, str], AbstractContextManager[Show]]
"""Begins a phase: its name, how much there is to do, and of what."""

Windows = Sequence[tuple[Array, Array]]
"""Rows that train, and later ones that say what came of it, as row numbers."""


class Grow(Protocol):
    """Makes a model of rows, early stopping and calibration by later ones."""

    def __call__(
        self,
        rows: Array,
        fraud: Array,
        names: Sequence[str],
        valid: tuple[Array, Array],
        /,
        show: Show | None = None,
    ) -> Model:
        """A model of rows [n, f], which were fraud [n], the columns' names [f], and later such rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """How trees are to be grown, as a search found."""

    grow: Grow
    told: Mapping[str, Any]
    """What was tried, as plain JSON values."""


class Search(Protocol):
    """Chooses how trees are grown."""

    def __call__(self, rows: Array, fraud: Array, windows: Windows, /, show: Show) -> Chosen:
        """By rows [n, f] and which were fraud [n], within the windows alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """Who grows the trees."""

    grow: Grow
    """As it does without a search."""
    trees: int
    """The most that it grows."""
    search: Search | None = None
    tries: int = 0
    """How many settings the search tries on each window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How history is split by time; days."""

    delay_days: int = 7
    """After so many a label is known."""
    validation_days: int = 14
    """The newest with known labels, which training does not see."""

    def check(self) -> Split:
        """This split. Raises Rejected with all that makes no sense in it."""
        least = {"delay_days": 0, "validation_days": 1}
        faults = [
            Fault(name, f"--{name.replace('_', '-')} must be from {low} to 3660")
            for name, low in least.items()
            if not low <= getattr(self, name) <= 3_660
        ]
        if faults:
            raise Rejected(faults)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is wanted of a training besides a model."""

    split: Split = field(default_factory=Split)
    costs: Costs | None = None
    """Chooses thresholds by what they cost."""
    fraud_value: float | None = None
    """What a fraud that is let through costs; None is its amount. In the base currency, as costs are."""
    review_capacity: int | None = None
    """Cards that can be looked at in a day."""
    seed: int = 7

    def check(self) -> Ask:
        """This. Raises Rejected with all that makes no sense in it."""
        self.split.check()
        costs = (
            {}
            if self.costs is None
            else {"review_cost": self.costs.review, "friction_cost": self.costs.friction}
        )
        if self.fraud_value is not None:
            costs["fraud_value"] = self.fraud_value
        faults = [
            Fault(name, f"--{name.replace('_', '-')} must be a number from 0 to 1000000000")
            for name, value in costs.items()
            if not 0 <= value <= 1e9
        ]
        if self.fraud_value is not None and self.costs is None:
            faults.append(Fault("fraud_value", "--fraud-value needs --review-cost and --friction-cost"))
        if self.review_capacity is not None and not 1 <= self.review_capacity <= 1_000_000:
            faults.append(Fault("review_capacity", "--review-capacity must be from 1 to 1000000"))
        if self.seed < 0:
            faults.append(Fault("seed", f"--seed {self.seed} must not be negative"))
        if faults:
            raise Rejected(faults)
        return self
