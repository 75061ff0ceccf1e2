"""Where customers are from day to day: at home, in another town, abroad; and whose phone is new."""

from __future__ import annotations

import numpy as np

from shroff.simulator.places import PLACES
from shroff.simulator.world import Today, World

DAY_TRIPS = 0.03
"""The chance of spending a day in another town of the country."""
NEW_PHONES = 1 / 300
"""The chance of a new device on a given day."""


class Whereabouts:
    """The trips of all customers, one step a day; trips and new phones are what honest change looks like."""

    def __init__(self, world: World) -> None:
        self._people = world.customers
        self._abroad = self._people.home.copy()
        self._days_left = np.zeros(len(self._people), dtype=np.int64)
        self._phone = np.zeros(len(self._people), dtype=np.int64)

    def wake(self, number: int, start: int, rng: np.random.Generator) -> Today:
        """Begin the next day: some leave, some come home, some stay."""
        home, count = self._people.home, len(self._people)
        self._days_left = np.maximum(self._days_left - 1, 0)
        leaving = (self._days_left == 0) & (rng.random(count) < self._people.wanderlust)
        self._days_left = np.where(leaving, rng.integers(2, 11, size=count), self._days_left)
        self._abroad = np.where(leaving, PLACES.abroad(rng, home), self._abroad)
        self._phone = self._phone + (rng.random(count) < NEW_PHONES)
        outing = rng.random(count) < DAY_TRIPS
        near = np.where(outing, PLACES.elsewhere_in_country(rng, home), home)
        place = np.where(self._days_left > 0, self._abroad, near)
        return Today(number=number, start=start, place=place, phone=self._phone)
