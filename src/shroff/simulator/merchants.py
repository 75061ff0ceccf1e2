"""Merchants: where they are, what they sell, at what price, and how popular they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.simulator.places import ONLINE, PLACES, Floats, Ints

POS, WEB, ATM = 0, 1, 2
CHANNELS: tuple[str, ...] = ("pos", "online", "atm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What a kind of merchant sells, and how dear it is."""

    name: str
    channel: int
    price: float
    """The median amount of a payment, the same number in every currency."""
    spread: float
    """The deviation of the logarithm of its prices between merchants."""
    share: float
    """Its share of the merchants of its channel, and so of payments."""


CATEGORIES: tuple[Category, ...] = (
    Category(name="grocery", channel=POS, price=28, spread=0.3, share=30),
    Category(name="restaurant", channel=POS, price=24, spread=0.4, share=18),
    Category(name="fuel", channel=POS, price=45, spread=0.2, share=8),
    Category(name="transport", channel=POS, price=6, spread=0.3, share=12),
    Category(name="pharmacy", channel=POS, price=15, spread=0.3, share=6),
    Category(name="clothing", channel=POS, price=55, spread=0.4, share=6),
    Category(name="electronics", channel=POS, price=120, spread=0.5, share=3),
    Category(name="home", channel=POS, price=70, spread=0.4, share=4),
    Category(name="cash", channel=ATM, price=80, spread=0.2, share=6),
    Category(name="marketplace", channel=WEB, price=35, spread=0.4, share=14),
    Category(name="digital", channel=WEB, price=9, spread=0.4, share=14),
    Category(name="food_delivery", channel=WEB, price=23, spread=0.2, share=9),
    Category(name="travel", channel=WEB, price=180, spread=0.4, share=3),
    Category(name="gift_cards", channel=WEB, price=40, spread=0.3, share=4),
    Category(name="web_electronics", channel=WEB, price=130, spread=0.4, share=4),
    Category(name="transfer", channel=WEB, price=110, spread=0.6, share=18),
)
_NUMBER = {category.name: number for number, category in enumerate(CATEGORIES)}
_FIRST_NAMES = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Harbour", "Iris", "Juniper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchants:
    """Merchants as columns, sorted by place, the online ones last."""

    name: tuple[str, ...]
    category: Ints
    channel: Ints
    place: Ints
    latitude: Floats
    longitude: Floats
    price: Floats
    """The logarithm of the median amount paid there."""
    _running: Floats
    """The running sum of popularity, led by a zero: a draw is a look-up in it."""
    _first: Ints
    """The number of the first merchant of each place, closed by the number of merchants."""

    def draw(self, rng: np.random.Generator, places: Ints) -> Ints:
        """Choose one merchant in each of the places, the popular ones more often."""
        first, end = self._first[places], self._first[places + 1]
        low, high = self._running[first], self._running[end]
        found = (
            np.searchsorted(self._running, low + rng.random(places.shape) * (high - low), side="right") - 1
        )
        return np.clip(found, first, end - 1).astype(np.int64)

    def selling(self, *categories: str, place: int = ONLINE) -> Ints:
        """Answer the merchants of these categories in one place, at least one."""
        wanted = [_NUMBER[category] for category in categories]
        return np.flatnonzero(np.isin(self.category, wanted) & (self.place == place))

    def shops_at(self, place: int) -> Ints:
        """Answer the merchants of one town that have a till (its cash machines have none)."""
        return np.flatnonzero((self.place == place) & (self.channel == POS))


def make_merchants(rng: np.random.Generator, customers: int) -> Merchants:
    """Make the merchants that serve so many customers: every category in every town, and online."""
    placed = [_assortment(rng, places=p, size=customers * PLACES.people[p] / 12) for p in range(ONLINE)]
    payees = np.full(customers // 8, _NUMBER["transfer"])
    online = np.concatenate([_assortment(rng, places=ONLINE, size=20 + customers / 20), payees])
    place = np.repeat(np.arange(ONLINE + 1), [len(town) for town in (*placed, online)])
    category = np.concatenate([*placed, online])
    count = len(place)
    town = np.minimum(place, ONLINE - 1)
    first = np.searchsorted(place, np.arange(ONLINE + 2)).astype(np.int64)
    popularity = _popularity(rng, category, place, first)
    return Merchants(
        name=tuple(_name(number, CATEGORIES[kind]) for number, kind in enumerate(category.tolist())),
        category=category,
        channel=np.array([kind.channel for kind in CATEGORIES])[category],
        place=place,
        latitude=PLACES.latitude[town] + rng.normal(0, 0.03, count),
        longitude=PLACES.longitude[town] + rng.normal(0, 0.03, count),
        price=_log_prices(rng, category),
        _running=np.concatenate([[0.0], np.cumsum(popularity)]),
        _first=first,
    )


def _assortment(rng: np.random.Generator, *, places: int, size: float) -> Ints:
    kinds = [n for n, kind in enumerate(CATEGORIES) if (kind.channel == WEB) == (places == ONLINE)]
    share = np.array([CATEGORIES[kind].share for kind in kinds])
    more = rng.choice(kinds, size=round(size), p=share / share.sum())
    return np.concatenate([kinds, more]).astype(np.int64)


def _popularity(rng: np.random.Generator, category: Ints, place: Ints, first: Ints) -> Floats:
    """Give each merchant of a place a Zipf weight, scaled so that its category keeps its share there.

    Payees of transfers are people, and all alike: a rush to one of them is remarkable.
    """
    rank = np.concatenate([rng.permutation(size) for size in np.diff(first).tolist()])
    zipf = 1.0 / (1.0 + np.where(category == _NUMBER["transfer"], 0, rank))
    group = place * len(CATEGORIES) + category
    total = np.bincount(group, weights=zipf)[group]
    share = np.array([kind.share for kind in CATEGORIES])[category]
    return np.asarray(share * zipf / total, dtype=np.float64)


def _log_prices(rng: np.random.Generator, category: Ints) -> Floats:
    price = np.log([kind.price for kind in CATEGORIES])[category]
    spread = np.array([kind.spread for kind in CATEGORIES])[category]
    return np.asarray(price + spread * rng.normal(size=len(category)), dtype=np.float64)


def _name(number: int, kind: Category) -> str:
    first = _FIRST_NAMES[number * 7 % len(_FIRST_NAMES)]
    return f"{first} {kind.name.replace('_', ' ').title()} {number:04d}"
