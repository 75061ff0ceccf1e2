"""In which order cards are looked at when there is time for only some of them.

Whoever looks at a card learns what all its open transactions were. That serves twice: the card's own frauds
are found, and each answer says something of the merchant, the device, … where the card paid, and so of every
other card that pays there. The first places of an order go to the cards that score highest, the others to
those whose answers say most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from shroff.core.compiled import Array

BY_SCORE = 0.1
"""The share of the places that go by score alone. Few frauds that a score can tell are below."""

NOBODY = -1
"""The number of an entity that a transaction does not have."""

_NEWER = 0.5
"""How much of the horizon must be left of a transaction whose score still says what its merchant is like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """n transactions, and what is known of them."""

    cards: Array
    """[n] int from 0: whose each is."""
    others: Sequence[Array]
    """Columns [n] int from 0, each of one kind of entity of which a label says something; or NOBODY."""
    occurred_at: Array
    """[n] int64 ms."""
    scores: Array
    """[n] how likely each is a fraud, 0 to 1."""
    open: Array
    """[n] bool: a look at its card would tell what it was."""
    known: Array
    """[n] bool: it is known what it was. What is neither open nor known will be known soon, or never."""


def order(recent: Recent, capacity: int, now: int, horizon: int) -> Array:
    """At most `capacity` cards [k] that have open transactions, each once, the first to be looked at first.

    `recent` has what occurred in the `horizon` [ms] before `now`. A tenth of the places go to the highest
    scores of the cards' open transactions, which fade to 0 over the horizon. Each further place goes to the
    card that adds most to

        ∑ over entities e:  √n · (1 - q) · (√newest answer - √newest known)

    where `n` is how many of the transactions are e's, `q` is the least score that e had in the newer half of
    the horizon, so that nobody asks again after what is taken for bad, and the newest goes from 0 at the
    horizon, as for an entity of which nothing is known, to 1 now. The roots make the freshest days count
    less: a card that can wait tells more tomorrow, and a look today is a look at another card less. A second
    card at the same entity adds only what is newer: the sum is submodular, and for those places the greedy
    choice comes within 1 - 1/e of the best. Where no card adds anything, the places that are left go by
    score. Ties go to the smaller number.
    """
    asked = recent.open
    age = (now - recent.occurred_at) / horizon
    ranked = _by_score(recent.cards[asked], (recent.scores * (1 - age))[asked])
    first = ranked[: math.ceil(capacity * BY_SCORE)]
    answers = _Answers.of(recent, np.flatnonzero(asked), age)
    for card in first:
        answers.take(card)
    chosen = first + _greedy(answers, capacity - len(first))
    taken = set(chosen)
    rest = [card for card in ranked if card not in taken]
    return np.array((chosen + rest)[:capacity], np.int64)


def _by_score(cards: Array, scores: Array) -> list[int]:
    """The cards, highest score first."""
    names, at = np.unique(cards, return_inverse=True)
    highest = np.full(len(names), -np.inf)
    np.maximum.at(highest, at, scores)
    return [int(card) for card in names[np.argsort(-highest, kind="stable")]]


def _greedy(answers: _Answers, most: int) -> list[int]:
    """The cards that add most, one after the other.

    What a card adds only ever shrinks, so the one on top that still adds what it did before is the next.
    """
    heap = [(-answers.worth(card), card) for card in answers.left]
    heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < most:
        before, card = heappop(heap)
        worth = answers.worth(card)
        if worth <= 0:
            continue
        if worth < -before:
            heappush(heap, (-worth, card))
            continue
        answers.take(card)
        chosen.append(card)
    return chosen


@dataclass(slots=True)
class _Answers:
    """What is known of each entity, as a part of the horizon, and what each card would tell of them."""

    known: Array
    """[e] the root of how new the newest label is, of every entity of all kinds."""
    weight: Array
    """[e]."""
    cards: dict[int, tuple[Array, Array]]
    """Card → the entities that it tells of [m], each once, and what would then be known of them [m]."""

    @classmethod
    def of(cls, recent: Recent, asked: Array, age: Array) -> _Answers:
        count, entities = _numbered(recent.others)
        fresh = np.tile(np.sqrt(np.clip(1 - age, 0, 1)), len(recent.others))
        there = entities >= 0
        n = np.bincount(entities[there], minlength=count)
        known, least = np.zeros(count), np.ones(count)
        told = there & np.tile(recent.known, len(recent.others))
        np.maximum.at(known, entities[told], fresh[told])
        late = there & np.tile(age < 1 - _NEWER, len(recent.others))
        np.minimum.at(least, entities[late], np.tile(recent.scores, len(recent.others))[late])
        least[~np.isin(np.arange(count), entities[late])] = 0
        rows = (np.arange(len(recent.others))[:, None] * len(age) + asked).ravel()
        rows = rows[there[rows]]
        cards = _newest(np.tile(recent.cards, len(recent.others))[rows], entities[rows], fresh[rows])
        return cls(known, np.sqrt(n) * (1 - least), cards)

    @property
    def left(self) -> list[int]:
        """The cards that were not taken, by their numbers."""
        return sorted(self.cards)

    def worth(self, card: int) -> float:
        """What a card adds."""
        entities, fresh = self.cards[card]
        return float(np.maximum(fresh - self.known[entities], 0) @ self.weight[entities])

    def take(self, card: int) -> None:
        """Count what a card tells as known."""
        if card in self.cards:
            entities, fresh = self.cards.pop(card)
            self.known[entities] = np.maximum(self.known[entities], fresh)


def _numbered(others: Sequence[Array]) -> tuple[int, Array]:
    """How many entities there are of all kinds, and which each row has [kinds * n]."""
    starts = np.cumsum([0] + [int(column.max(initial=-1)) + 1 for column in others])
    shifted = [np.where(c >= 0, c + s, NOBODY) for c, s in zip(others, starts, strict=False)]
    return int(starts[-1]), np.concatenate(shifted) if shifted else np.empty(0, np.int64)


def _newest(cards: Array, entities: Array, fresh: Array) -> dict[int, tuple[Array, Array]]:
    """By card, its entities once each with the newest that it tells of them."""
    by = np.lexsort((fresh, entities, cards))
    cards, entities, fresh = cards[by], entities[by], fresh[by]
    last = np.ones(len(cards), bool)
    last[:-1] = (np.diff(cards) != 0) | (np.diff(entities) != 0)
    cards, entities, fresh = cards[last], entities[last], fresh[last]
    names, starts = np.unique(cards, return_index=True)
    ends = [*starts[1:], len(cards)] if len(cards) else []
    return {int(card): (entities[a:b], fresh[a:b]) for card, a, b in zip(names, starts, ends, strict=True)}
