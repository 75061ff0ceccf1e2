"""List prices with their tiers, their source and their date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What so many units cost, by how many there are in a month."""

    name: str
    per: float
    tiers: tuple[tuple[float, float], ...]
    """(up to so many in all, price of `per` units); 0 has no end."""
    source: str
    seen: str
    """The month of the newest copy in which it was found."""

    def of(self, amount: float) -> float:
        """Dollars for an amount within one month.

        >>> two = Price(name="", per=10, tiers=((100, 5.0), (0, 1.0)), source="", seen="")
        >>> two.of(100), two.of(120)
        (50.0, 52.0)
        """
        cost, begins = 0.0, 0.0
        for ends, price in self.tiers:
            within = amount - begins if not ends else min(amount, ends) - begins
            cost += max(0.0, within) / self.per * price
            begins = ends
        return cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """All prices, and what is assumed beside them."""

    region: str
    as_of: str
    found: str
    by_name: dict[str, Price]
    waits: dict[str, float]
    """Milliseconds until a service answers."""
    assumed: dict[str, float]

    def of(self, name: str, amount: float) -> float:
        """Dollars for an amount of something."""
        return self.by_name[name].of(amount)


def read_prices(path: Path = FILE) -> Prices:
    """The prices of a file."""
    told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    prices = [
        Price(**each | {"tiers": tuple((ends, price) for ends, price in each["tiers"])})
        for each in told["price"]
    ]
    return Prices(
        region=told["region"],
        as_of=told["as_of"],
        found=told["found"],
        by_name={each.name: each for each in prices},
        waits=told["waits"],
        assumed=told["assumed"],
    )
