"""The prequential protocol: train on some days, wait until their labels are known, test on the days after.

::

    fold 1   ├─ train ─┼─ delay ─┼─ test ─┤
    fold 2             ├─ train ─┼─ delay ─┼─ test ─┤        each fold begins where the test moves on
    with history   ├───────── train ───────┤                 the window may reach back to a date
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from shroff.core.errors import Fault, Rejected

DAY = 86_400_000

_LONGEST = 3_660


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One round of training and testing; instants in ms, the ends are not part of it."""

    number: int
    """From 1; those before are rehearsals."""
    window_from: int
    """Where the training days of the protocol begin."""
    train_from: int
    """Where training begins: earlier than the window where history is used."""
    train_to: int
    test_from: int
    test_to: int


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How an evaluation goes through time."""

    start: int
    """The first training day, as an instant in ms."""
    train_days: int = 7
    delay_days: int = 7
    """Days after its transaction on which a label becomes known; between training and test as many pass."""
    test_days: int = 7
    folds: int = 4
    history_from: int | None = None
    """What is earlier than the training window and may be used all the same, from this instant on."""
    train_on_history: bool = True
    """Whether models train on that history too; else features alone look back to it."""
    by: str | None = None
    """The entity that card precision counts and a review looks at; None is the policy's main one."""
    review_capacity: int = 0
    """How many cards are looked at a day; 0 plays no review loop."""
    review_delay_days: int = 1
    """Days after which what was looked at has its label."""

    def check(self) -> Protocol:
        """This protocol. Raises Rejected with all that makes no sense in it."""
        least = {
            "train_days": 1, "delay_days": 0, "test_days": 1, "folds": 1, "review_capacity": 0,
            "review_delay_days": 1,
        }  # fmt: skip
        faults = [
            Fault(name, f"--{name.replace('_', '-')} must be from {low} to {most}")
            for name, low in least.items()
            for most in [1_000_000 if name == "review_capacity" else _LONGEST]
            if not low <= getattr(self, name) <= most
        ]
        if self.history_from is not None and self.history_from > self.start:
            faults.append(Fault("history_from", "--history-from must not be later than --start"))
        if faults:
            raise Rejected(faults)
        return self

    @property
    def since(self) -> int:
        """The first instant that anything looks at."""
        return self.start if self.history_from is None else self.history_from

    @property
    def until(self) -> int:
        """The end of the last test day."""
        return self.rounds[-1].test_to

    @property
    def days(self) -> int:
        """How many days are lived through."""
        return (self.until - self.since) // DAY

    @property
    def delay(self) -> int:
        """Milliseconds from a transaction to its label."""
        return self.delay_days * DAY

    @cached_property
    def rounds(self) -> tuple[Fold, ...]:
        """The folds, in the order of time."""
        return tuple(self._fold(number) for number in range(1, self.folds + 1))

    @cached_property
    def rehearsals(self) -> tuple[Fold, ...]:
        """Earlier folds, whose models rank what a review looks at before the first fold's does."""
        if not self.review_capacity:
            return ()
        most = (self.start - self.since) // (self.test_days * DAY)
        return tuple(self._fold(-number) for number in range(most - 1, -1, -1))

    def _fold(self, number: int) -> Fold:
        window = self.start + (number - 1) * self.test_days * DAY
        train_to = window + self.train_days * DAY
        test_from = train_to + self.delay
        whole = self.train_on_history and self.history_from is not None
        return Fold(
            number=number,
            window_from=window,
            train_from=self.since if whole else window,
            train_to=train_to,
            test_from=test_from,
            test_to=test_from + self.test_days * DAY,
        )
