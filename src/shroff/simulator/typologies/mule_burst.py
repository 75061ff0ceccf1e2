"""Mule burst: money rushes through an account within the hour.

Either one customer, whose account is a mule's, sends a dozen transfers and more to several payees, or many
deceived customers each pay one payee once, every one from the own machine. `customer.count_1h` and
`customer.amount_sum_1h` show the first, `merchant.customer_distinct_1h` and `merchant.amount_sum_1h`
against the payee's past the second. Stealth stretches the hour and lowers the amounts; its innocent twin is
an evening of bills.
"""

from __future__ import annotations

import numpy as np

from shroff.simulator.payments import Payments
from shroff.simulator.places import Floats
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.world import MINUTE, SECOND

_FEWEST_PAYERS = 8


def mule_burst(scene: Scene) -> Payments:
    """Send money out of one account quickly, or into one."""
    gather = scene.rng.random() < 0.5 and len(scene.world.customers) >= _FEWEST_PAYERS
    return _gather(scene) if gather else _scatter(scene)


def _scatter(scene: Scene) -> Payments:
    mule = scene.victims(1)
    count = scene.size(12, 26)
    place = int(scene.today.place[mule][0])
    own = scene.rng.random() < 0.5
    return scene.act(
        cards=scene.card_of(mule),
        merchants=scene.rng.choice(scene.pick(scene.world.merchants.selling("transfer"), 6), count),
        at=scene.series(scene.begin(7, 23, place), count, scene.between(12 * SECOND, 3 * MINUTE)),
        amounts=_amounts(scene, count),
        rig=scene.own(np.repeat(mule, count)) if own else scene.rogue(scene.lair(int(mule[0]))),
    )


def _gather(scene: Scene) -> Payments:
    payers = scene.victims(scene.size(_FEWEST_PAYERS, 22))
    count = len(payers)
    place = int(scene.today.place[payers][0])
    return scene.act(
        cards=scene.card_of(payers),
        merchants=scene.pick(scene.world.merchants.selling("transfer"), 1),
        at=scene.series(scene.begin(8, 21, place), count, scene.between(60 * SECOND, 4 * MINUTE)),
        amounts=_amounts(scene, count),
        rig=scene.own(payers),
    )


def _amounts(scene: Scene, count: int) -> Floats:
    return scene.rng.uniform(scene.between(250, 60), scene.between(950, 350), count)
