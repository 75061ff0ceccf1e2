"""A simulator of card transactions with labels: customers with habits, merchants with places, planted fraud.

>>> from shroff.simulator import simulate
>>> first = next(simulate(days=1, customers=10, seed=7))
>>> first.fraud, sorted(first.body)[:3]
(False, ['amount', 'card_id', 'channel'])
"""

from shroff.simulator.stream import (
    DEFAULT_FRAUD_RATE,
    DEFAULT_START,
    Day,
    Simulated,
    simulate,
    simulate_days,
)
from shroff.simulator.typologies import TYPOLOGIES

__all__ = [
    "DEFAULT_FRAUD_RATE",
    "DEFAULT_START",
    "TYPOLOGIES",
    "Day",
    "Simulated",
    "simulate",
    "simulate_days",
]
