"""Collusive merchant: a shop and a small ring of cardholders invent sales.

Four to six customers of one town each pay once or twice a day for some days at one little shop, far above
its prices and in round amounts. `merchant.amount_mean_7d` against its own past,
`customer_merchant.count_7d`, amounts without small change and few distinct customers with a large sum show
it; every single payment is by the right person at a real till. Stealth loses the roundness and lowers the
amounts.
"""

from __future__ import annotations

import numpy as np

from shroff.simulator.payments import Payments
from shroff.simulator.places import Floats, Ints
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.world import DAY


def collusive_merchant(scene: Scene) -> Payments:
    """Run invented sales through one little shop for a few days."""
    people, shops = scene.world.customers, scene.world.merchants
    town = int(people.home[scene.victims(1)][0])
    ring = scene.victims(scene.size(4, 6), among=np.flatnonzero(people.home == town))
    days = scene.size(2, 4)
    count = round(len(ring) * days * scene.rng.uniform(1.0, 2.0))
    who = np.resize(ring, count)
    opening = scene.begin(9.5, 11, town)
    hours = scene.rng.integers(0, 8 * DAY // 24, size=count)
    shop = scene.pick(_little(scene, town), 1)
    return scene.act(
        cards=who * 2,
        merchants=shop,
        at=opening + hours + np.sort(scene.rng.integers(0, days, size=count)) * DAY,
        amounts=_inflated(scene, float(np.exp(shops.price[shop[0]])), count),
    )


def _little(scene: Scene, town: int) -> Ints:
    """Answer the shops of a town that no customer favours most, or all if there is no such."""
    shops = scene.world.merchants.shops_at(town)
    popular = np.unique(scene.world.customers.favourites[:, :3])
    little = np.setdiff1d(shops, popular)
    return little if len(little) else shops


def _inflated(scene: Scene, price: float, count: int) -> Floats:
    """Answer amounts far above the shop's own price, mostly round ones."""
    floor = max(price * scene.between(4, 2), scene.between(180, 60))
    amounts = floor * scene.rng.uniform(1.0, 2.5, count)
    is_round = scene.rng.random(count) < scene.between(1.0, 0.5)
    return np.where(is_round, np.maximum(np.rint(amounts / 50), 1) * 50, amounts)
