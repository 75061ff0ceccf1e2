"""Card testing: stolen numbers are tried with tiny payments, before the good ones are sold or drained.

Either one card is tried a dozen times and more within minutes, often followed by one large purchase, or one
machine tries many cards at one merchant. Many payments and a small sum in `card.count_5m`,
`ip.card_distinct_1h`, `device.card_distinct_1h` and `merchant.card_distinct_1h` show it. Stealth stretches
the gaps and raises the amounts; its innocent twin is a night of small purchases in a game.
"""

from __future__ import annotations

from shroff.simulator.payments import Payments
from shroff.simulator.places import Floats, Ints
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.world import MINUTE, SECOND

TARGETS = ("digital", "gift_cards", "marketplace")


def card_testing(scene: Scene) -> Payments:
    """Try one card many times, or many cards once each."""
    if scene.rng.random() < 0.5:
        return _one_card(scene)
    return _many_cards(scene)


def _one_card(scene: Scene) -> Payments:
    count = scene.size(12, 30)
    victim = scene.victims(1)
    card = scene.card_of(victim)
    lair = scene.lair(int(victim[0]))
    rig = scene.rogue(lair)
    at = scene.series(scene.begin(0, 24, lair), count, scene.between(4 * SECOND, 60 * SECOND))
    merchants = scene.rng.choice(_targets(scene, 2), count)
    tries = scene.act(cards=card, merchants=merchants, at=at, amounts=_tiny(scene, count), rig=rig)
    if scene.rng.random() < 0.4:
        return tries
    dear = scene.pick(scene.world.merchants.selling("web_electronics", "gift_cards"), 1)
    later = at[-1:] + round(scene.rng.uniform(1, scene.between(5, 90)) * MINUTE)
    amount = scene.rng.uniform(150, scene.between(1800, 400), 1)
    purchase = scene.act(cards=card, merchants=dear, at=later, amounts=amount, rig=rig)
    return Payments.together([tries, purchase])


def _many_cards(scene: Scene) -> Payments:
    victims = scene.victims(scene.size(14, 32))
    count = len(victims)
    lair = scene.lair(int(victims[0]))
    at = scene.series(scene.begin(0, 24, lair), count, scene.between(6 * SECOND, 90 * SECOND))
    return scene.act(
        cards=scene.card_of(victims),
        merchants=_targets(scene, 1),
        at=at,
        amounts=_tiny(scene, count),
        rig=scene.rogue(lair),
    )


def _targets(scene: Scene, count: int) -> Ints:
    return scene.pick(scene.world.merchants.selling(*TARGETS), count)


def _tiny(scene: Scene, count: int) -> Floats:
    return scene.rng.uniform(0.5, scene.between(2.0, 9.0), count)
