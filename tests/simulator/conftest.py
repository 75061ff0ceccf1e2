from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from shroff.simulator import DEFAULT_START, Simulated, simulate


@dataclass
class Month:
    """What the tests of fraud look at, kept small: the frauds by episode, and who paid at which till when."""

    transactions: int = 0
    episodes: dict[str, list[Simulated]] = field(default_factory=lambda: defaultdict(list))
    tills: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    countries: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    devices: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    amounts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_merchant: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def of(self, typology: str) -> list[list[Simulated]]:
        """The episodes that were over before the month was: none lasts five days."""
        end = DEFAULT_START + 25 * 86_400_000
        return [
            rows
            for rows in self.episodes.values()
            if rows[0].typology == typology and rows[0].occurred_at < end
        ]


@pytest.fixture(scope="session")
def month() -> Month:
    """Thirty days of 2,000 customers, seed 7."""
    month = Month()
    for item in simulate(days=30, customers=2000, seed=7):
        month.transactions += 1
        if item.episode is not None:
            month.episodes[item.episode].append(item)
            continue
        body = {name: str(value) for name, value in item.body.items()}
        month.amounts[body["customer_id"]].append(float(body["amount"]))
        month.by_merchant[body["merchant"]].append(float(body["amount"]))
        month.countries[body["customer_id"]].add(body["country"])
        if "device_id" in body:
            month.devices[body["customer_id"]].add(body["device_id"])
        else:
            month.tills[body["card_id"]].append((item.occurred_at, body["merchant"]))
    return month
