"""The underworld: when which typology strikes, so that fraud keeps its share of the payments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shroff.simulator.payments import Payments
from shroff.simulator.typologies import PLANS, TYPOLOGIES
from shroff.simulator.typologies.scene import Scene, Visits
from shroff.simulator.world import Today, World

_EPISODE = 16
"""About how many payments an episode has."""


class Underworld:
    """A budget of fraud that grows with the honest payments, and a deck of typologies to spend it on.

    Every typology comes once in a round of the deck, so that a short simulation shows all of them too; what
    finds no opportunity is tried again first in the next round.
    """

    def __init__(self, world: World, fraud_rate: float) -> None:
        self._world = world
        self._per_honest = fraud_rate / (1 - fraud_rate)
        self._budget = 0.0
        self._deck: list[str] = []
        self._postponed: set[str] = set()
        self._visits = Visits()
        self.episodes: list[str] = []
        """The typology of each episode so far, by its number."""

    def strike(self, today: Today, honest: Payments, rng: np.random.Generator) -> list[Payments]:
        """Plan the episodes that begin today; some go on for days."""
        self._budget += self._per_honest * len(honest)
        planned = []
        misses = 0
        while self._budget >= _EPISODE / 2 and misses < len(TYPOLOGIES):
            episode = self._plan(today, rng)
            misses = misses + 1 if episode is None else 0
            if episode is not None:
                self._budget -= len(episode)
                planned.append(episode)
        self._visits.remember(honest)
        return planned

    def _plan(self, today: Today, rng: np.random.Generator) -> Payments | None:
        typology = self._next(rng)
        scene = Scene(
            world=self._world, today=today, visits=self._visits, stealth=float(rng.random()), rng=rng
        )
        payments = PLANS[typology](scene)
        if payments is None:
            self._postponed.add(typology)
            return None
        self.episodes.append(typology)
        return replace(payments, episode=np.full(len(payments), len(self.episodes) - 1))

    def _next(self, rng: np.random.Generator) -> str:
        if not self._deck:
            # The end of the list comes first.
            shuffled = [TYPOLOGIES[number] for number in rng.permutation(len(TYPOLOGIES)).tolist()]
            self._deck = [*shuffled, *sorted(self._postponed)]
            self._postponed.clear()
        return self._deck.pop()
