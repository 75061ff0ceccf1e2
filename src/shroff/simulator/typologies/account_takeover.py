"""Account takeover: somebody logs in as the customer from elsewhere and drains the account.

A device, an address and often a country that this customer never had, then three to nine payments far above
the customer's own mean, to payees and for goods that sell again. `missing(customer_device.since_last_30d)`,
a changed country and email, and the amount against `customer.amount_mean_30d` show it. Stealth keeps the
country and the mail address, lowers the amounts and waits between payments; its innocent twins are travel
and a new phone.
"""

from __future__ import annotations

from dataclasses import replace

from shroff.simulator.payments import Payments
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.world import MINUTE


def account_takeover(scene: Scene) -> Payments:
    """Drain one customer's account from a machine that is new to it."""
    victim = scene.victims(1)
    count = scene.size(3, 9)
    lair = scene.lair(int(victim[0]))
    rig = scene.rogue(lair)
    if scene.rng.random() < 0.3 + 0.6 * scene.stealth:
        rig = replace(rig, email=victim)
    goods = scene.world.merchants.selling("transfer", "web_electronics", "gift_cards", "travel")
    times_usual = scene.rng.uniform(scene.between(6, 0.8), scene.between(40, 5), count)
    return scene.act(
        cards=scene.card_of(victim),
        merchants=scene.pick(goods, count),
        at=scene.series(scene.begin(0, 24, lair), count, scene.between(3 * MINUTE, 50 * MINUTE)),
        amounts=scene.usual(int(victim[0])) * times_usual,
        rig=rig,
    )
