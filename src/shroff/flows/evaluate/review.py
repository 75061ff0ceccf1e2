"""The review loop: each day the cards ranked highest are looked at, and their labels are known early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.protocol import DAY, Protocol
from shroff.flows.evaluate.timeline import span


@dataclass(slots=True, kw_only=True)
class Review:
    """Analysts who look at so many cards a day."""

    history: History
    cards: Array
    """[n] int: whose transaction it is."""
    capacity: int
    delay: int
    """Milliseconds from a transaction to the label that a look gives it, which is not before its day ends."""
    maturity: int
    """Milliseconds after which nobody needs to look: the label comes by itself."""
    memory: int
    """Milliseconds for which a card that was found is not looked at again."""

    @classmethod
    def of(cls, protocol: Protocol, history: History, cards: Array) -> Review:
        """The reviewers of a protocol."""
        days = protocol.train_days + protocol.delay_days + protocol.test_days
        return cls(
            history=history,
            cards=cards,
            capacity=protocol.review_capacity,
            delay=protocol.review_delay_days * DAY,
            maturity=protocol.delay,
            memory=days * DAY,
        )

    def look(self, day: int, rows: slice, scores: Array, known_at: Array) -> int:
        """Look at a day's highest cards; `known_at` is moved forward. Returns how many labels that gave.

        A card stands for what it bought that day and for what is still without a label from the days before.
        """
        top = self._top(day, rows, scores, known_at)
        reach = span(self.history, day - self.maturity, day + DAY)
        opened = reach.start + np.flatnonzero(np.isin(self.cards[reach], top) & self.history.labelled[reach])
        when = np.maximum(self.history.batch.occurred_at[opened] + self.delay, day + DAY)
        earlier = when < known_at[opened]
        known_at[opened[earlier]] = when[earlier]
        return int(np.count_nonzero(earlier))

    def _top(self, day: int, rows: slice, scores: Array, known_at: Array) -> Array:
        """The cards of a day that rank highest, without those known to be compromised."""
        recent = span(self.history, day - self.memory, day)
        known = self.history.fraud[recent] & (known_at[recent] <= day)
        fresh = ~np.isin(self.cards[rows], self.cards[recent][known])
        names, at = np.unique(self.cards[rows][fresh], return_inverse=True)
        highest = np.full(len(names), -np.inf)
        np.maximum.at(highest, at, scores[fresh])
        return names[np.argsort(-highest, kind="stable")[: self.capacity]]
