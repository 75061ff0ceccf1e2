"""Compromised merchant: a shop's terminal is skimmed, and days later the cards are used elsewhere.

Six to eighteen cards that paid at one merchant two to ten days ago are each used once to three times over
the next four days, at other merchants, from a few shared machines. No payment is remarkable by itself;
shared machines (`device.card_distinct_24h`), first merchants for the customer and, once the labels are
known, the fraud rate of the *earlier* merchant show it. Stealth keeps the amounts near the customer's own.
"""

from __future__ import annotations

import numpy as np

from shroff.simulator.payments import Payments
from shroff.simulator.places import Floats, Ints
from shroff.simulator.typologies.scene import Scene, chosen_rows
from shroff.simulator.world import DAY, Rig

QUIET_DAYS = 2
_FEWEST_CARDS = 4


def compromised_merchant(scene: Scene) -> Payments | None:
    """Use the cards that one merchant saw; none if no merchant has seen enough of them yet."""
    cards = _skimmed(scene)
    if len(cards) < _FEWEST_CARDS:
        return None
    used = np.repeat(cards, scene.rng.integers(1, 4, size=len(cards)))
    count = len(used)
    return scene.act(
        cards=used,
        merchants=scene.pick(
            scene.world.merchants.selling("marketplace", "web_electronics", "travel"), count
        ),
        at=scene.begin(6, 24, 0) + scene.rng.integers(0, 4 * DAY, size=count),
        amounts=_amounts(scene, used // 2),
        rig=_machines(scene, used),
    )


def _skimmed(scene: Scene) -> Ints:
    """Choose a merchant of the past days with enough cards, and some of those."""
    past = scene.visits.before(QUIET_DAYS)
    if past is None:
        return np.empty(0, dtype=np.int64)
    at_till = past.where(past.device < 0)
    pairs: Ints = np.unique(at_till.merchant << 32 | at_till.card)
    merchant, card = pairs >> 32, pairs & 0xFFFFFFFF
    merchants, seen = np.unique(merchant, return_counts=True)
    eligible: Ints = merchants[seen >= _FEWEST_CARDS]
    if not len(eligible):
        return eligible
    skimmed = scene.rng.choice(eligible)
    return scene.victims(scene.size(6, 18), among=card[merchant == skimmed])


def _amounts(scene: Scene, who: Ints) -> Floats:
    usual = np.array([scene.usual(customer) for customer in who.tolist()])
    factor = scene.rng.uniform(scene.between(2.5, 0.8), scene.between(9, 3), len(who))
    return np.asarray(usual * factor, dtype=np.float64)


def _machines(scene: Scene, used: Ints) -> Rig:
    """Share a few machines out over the cards: one when blatant, one for every second card when not."""
    count = max(1, round(scene.between(1, len(np.unique(used)) / 2)))
    rigs = [scene.rogue(scene.lair(int(customer))) for customer in used[:count] // 2]
    together = Rig(**{name: np.concatenate([getattr(rig, name) for rig in rigs]) for name in Rig.__slots__})
    return chosen_rows(together, used % count)
