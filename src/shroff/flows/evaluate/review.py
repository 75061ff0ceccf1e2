"""The review loop: each day some cards are looked at, and their labels are known early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy import Policy, main_entity
from shroff.core.review import NOBODY, Recent, order
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.protocol import DAY, Protocol
from shroff.flows.evaluate.timeline import span


@dataclass(slots=True, kw_only=True)
class Review:
    """Analysts who look at so many cards a day."""

    history: History
    cards: Array
    """[n] int: whose transaction it is."""
    others: Sequence[Array]
    """Columns [n] int, each of one kind of entity of which a label says something; or NOBODY."""
    capacity: int
    delay: int
    """Milliseconds from a transaction to the label that a look gives it, which is not before its day ends."""
    maturity: int
    """Milliseconds after which nobody needs to look: the label comes by itself."""
    memory: int
    """Milliseconds for which a card that was found is not looked at again."""

    @classmethod
    def of(cls, protocol: Protocol, history: History, policy: Policy, cards: Array) -> Review:
        """The reviewers of a protocol."""
        days = protocol.train_days + protocol.delay_days + protocol.test_days
        return cls(
            history=history,
            cards=cards,
            others=others_of(history, policy, protocol.by) if protocol.review_capacity else (),
            capacity=protocol.review_capacity,
            delay=protocol.review_delay_days * DAY,
            maturity=protocol.delay,
            memory=days * DAY,
        )

    def look(self, day: int, scores: Array, known_at: Array) -> int:
        """Look at cards when a day is over; `known_at` is moved forward. Returns how many labels that gave.

        `scores` [n] are of the whole history, NaN where nobody scored. A card that is looked at tells of all
        its transactions that are without a label.
        """
        reach = span(self.history, day + DAY - self.maturity, day + DAY)
        when = np.maximum(self.history.batch.occurred_at[reach] + self.delay, day + DAY)
        gains = self.history.labelled[reach] & (when < known_at[reach])
        chosen = self._chosen(day, reach, gains, scores, known_at)
        opened = gains & np.isin(self.cards[reach], chosen)
        known_at[reach] = np.where(opened, when, known_at[reach])
        return int(np.count_nonzero(opened))

    def _chosen(self, day: int, reach: slice, gains: Array, scores: Array, known_at: Array) -> Array:
        """The cards to look at, without those known to be compromised."""
        before = span(self.history, day - self.memory, day)
        found = self.cards[before][self.history.fraud[before] & (known_at[before] <= day)]
        recent = Recent(
            cards=self.cards[reach],
            others=[column[reach] for column in self.others],
            occurred_at=self.history.batch.occurred_at[reach],
            scores=np.nan_to_num(scores[reach]),
            open=gains & ~np.isin(self.cards[reach], found),
            known=known_at[reach] <= day + DAY,
        )
        return order(recent, self.capacity, day + DAY, self.maturity)


def others_of(history: History, policy: Policy, by: str | None) -> list[Array]:
    """Who each transaction is of [n], as numbers, of each kind that learns from labels, but for cards."""
    card = policy.entities[by or main_entity(policy.entities)]
    kinds = [layout.fields for layout in policy.empty_state().layouts if layout.learns]
    return [_numbers(history.batch.keys(fields)) for fields in kinds if fields != card]


def _numbers(keys: Sequence[str | None]) -> Array:
    """Keys as numbers from 0 on, NOBODY where there is none."""
    numbers: dict[str | None, int] = {None: NOBODY}
    return np.array([numbers.setdefault(key, len(numbers) - 1) for key in keys], np.int64)
