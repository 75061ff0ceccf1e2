"""The scene of a crime: what a typology may see and use to plan one episode."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shroff.simulator.payments import Payments
from shroff.simulator.places import PLACES, Floats, Ints
from shroff.simulator.world import Rig, Today, World, own_rig, pay, rogue_rig

MEMORY_DAYS = 10


class Visits:
    """Who was lately where: the honest payments of the last days, bounded."""

    def __init__(self) -> None:
        self._days: deque[Payments] = deque(maxlen=MEMORY_DAYS)

    def remember(self, payments: Payments) -> None:
        """Add the payments of one more day, forgetting the oldest."""
        self._days.append(payments)

    def before(self, days: int) -> Payments | None:
        """Answer the payments that are at least so many whole days old."""
        old = list(self._days)[: len(self._days) - days] if len(self._days) > days else []
        return Payments.together(old) if old else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One day and one draw of luck; `stealth` runs from 0, blatant, to 1, hardly to be seen."""

    world: World
    today: Today
    visits: Visits
    stealth: float
    rng: np.random.Generator

    def between(self, blatant: float, stealthy: float) -> float:
        """Answer the value for this episode's stealth, on the line from blatant to stealthy."""
        return blatant + self.stealth * (stealthy - blatant)

    def size(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def victims(self, count: int, among: Ints | None = None) -> Ints:
        """Choose so many distinct customers, or all there are."""
        pool = np.arange(len(self.world.customers)) if among is None else among
        return self.rng.choice(pool, size=min(count, len(pool)), replace=False)

    def card_of(self, who: Ints) -> Ints:
        """Choose one card of each customer."""
        return self.world.customers.reach(self.rng, who)

    def pick(self, merchants: Ints, count: int) -> Ints:
        """Choose merchants, again and again if there are fewer."""
        chosen = self.rng.permutation(merchants)
        return np.resize(chosen, count)

    def begin(self, first_hour: float, last_hour: float, place: int) -> int:
        """Choose an instant of today between two hours of a place's clock."""
        hour = self.rng.uniform(first_hour, last_hour, 1)
        return int(self.today.at(hour, np.array([place]))[0])

    def series(self, begin: int, count: int, gap: float) -> Ints:
        """Answer increasing instants, about `gap` milliseconds apart, the first at `begin`."""
        gaps = np.maximum(self.rng.exponential(gap, count), 400).astype(np.int64)
        gaps[:1] = 0
        return begin + np.cumsum(gaps)

    def usual(self, customer: int) -> float:
        """Answer what this customer usually pays, in whole money."""
        people, shop = self.world.customers, self.world.merchants
        prices = shop.price[people.favourites[customer]]
        return float(np.exp(prices.mean() + people.level[customer]))

    def lair(self, customer: int) -> int:
        """Answer where a fraudster sits: abroad if blatant, in the customer's own country if not."""
        here = self.today.place[[customer]]
        same_country = self.rng.random() < 0.15 + 0.7 * self.stealth
        return int((PLACES.elsewhere_in_country if same_country else PLACES.abroad)(self.rng, here)[0])

    def rogue(self, place: int) -> Rig:
        """Set up a fraudster's machine in a place."""
        return rogue_rig(place, self.rng)

    def own(self, who: Ints) -> Rig:
        """Answer the customers' own machines."""
        return own_rig(self.world, self.today, who, self.rng)

    def act(
        self, *, cards: Ints, merchants: Ints, at: Ints, amounts: Floats, rig: Rig | None = None
    ) -> Payments:
        """Make the payments; without a rig they happen at tills, where no machine is seen."""
        machine = rig if rig is not None else self.rogue(0)
        return pay(self.world, cards=cards, merchants=merchants, at=at, amounts=amounts, rig=machine)


def chosen_rows(rig: Rig, rows: npt.NDArray[np.int64]) -> Rig:
    """Answer a rig with one row a payment, taken from the rows of another."""
    return Rig(
        device=rig.device[rows],
        ip=rig.ip[rows],
        email=rig.email[rows],
        country=rig.country[rows],
        latitude=rig.latitude[rows],
        longitude=rig.longitude[rows],
    )
