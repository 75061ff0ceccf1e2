"""The fraud typologies, one a file: each plans one labelled episode within a scene."""

from __future__ import annotations

from collections.abc import Callable

from shroff.simulator.payments import Payments
from shroff.simulator.typologies.account_takeover import account_takeover
from shroff.simulator.typologies.card_testing import card_testing
from shroff.simulator.typologies.collusive_merchant import collusive_merchant
from shroff.simulator.typologies.compromised_merchant import compromised_merchant
from shroff.simulator.typologies.mule_burst import mule_burst
from shroff.simulator.typologies.scene import Scene
from shroff.simulator.typologies.stolen_card_spree import stolen_card_spree

PLANS: dict[str, Callable[[Scene], Payments | None]] = {
    "card_testing": card_testing,
    "account_takeover": account_takeover,
    "stolen_card_spree": stolen_card_spree,
    "compromised_merchant": compromised_merchant,
    "collusive_merchant": collusive_merchant,
    "mule_burst": mule_burst,
}
"""How each typology plans an episode; it answers None where there is no opportunity today."""

TYPOLOGIES: tuple[str, ...] = tuple(PLANS)
"""The labels, in the order of their numbers."""
