"""Stolen card spree: a lost card is used in shop after shop near by, until it is blocked.

Five to twelve payments at tills of one town within hours, at merchants that are new to the customer, each
about a third larger than the one before. `card.merchant_distinct_1h`, `card.count_1h`,
`card.amount_sum_24h` against the customer's own mean and first merchants show it. Stealth slows it down and
caps the amounts; its innocent twin is an afternoon in town.
"""

from __future__ import annotations

import numpy as np

from shroff.simulator.payments import Payments
from shroff.simulator.places import PLACES
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.world import MINUTE


def stolen_card_spree(scene: Scene) -> Payments:
    """Go from shop to shop with one card, daring more each time."""
    victim = scene.victims(1)
    count = scene.size(5, 12)
    here = scene.today.place[victim]
    town = int((here if scene.rng.random() < 0.7 else PLACES.elsewhere_in_country(scene.rng, here))[0])
    growth = scene.rng.uniform(scene.between(1.3, 1.05), scene.between(1.6, 1.3))
    steps = growth ** np.arange(count) * np.exp(scene.rng.normal(0, 0.15, count))
    return scene.act(
        cards=scene.card_of(victim),
        merchants=scene.pick(scene.world.merchants.shops_at(town), count),
        at=scene.series(scene.begin(9, 19, town), count, scene.between(6 * MINUTE, 25 * MINUTE)),
        amounts=np.minimum(scene.rng.uniform(12, 40) * steps, scene.between(950, 250)),
    )
