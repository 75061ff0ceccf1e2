"""Customers: where they live, what they carry, and the habits that make each one recognisable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.simulator.merchants import Merchants
from shroff.simulator.places import ONLINE, PLACES, Floats, Ints

FAVOURITES = 12
MOBILE_POOL = 1 << 18
"""Addresses of one country's mobile carriers, which many phones share."""
_HABIT = np.cumsum(1.0 / np.arange(1, FAVOURITES + 1) ** 1.1)
_RHYTHMS = np.array([7.8, 12.7, 18.5])


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Customers as columns, one row a customer."""

    home: Ints
    """The place each lives in."""
    latitude: Floats
    longitude: Floats
    per_day: Floats
    """Payments on an ordinary weekday."""
    weekend: Floats
    """The factor on payments at a weekend."""
    level: Floats
    """The logarithm of what each spends over what others spend at the same merchant."""
    spread: Floats
    """The deviation of the logarithm of each one's amounts."""
    hours: Floats
    """[n, 3] local hours of the morning, midday and evening peak."""
    peaks: Floats
    """[n, 3] running shares of the peaks, ending in one."""
    favourites: Ints
    """[n, 12] merchants, the most visited first."""
    novelty: Floats
    """The share of payments at merchants that are not favourites."""
    cards: Ints
    """How many cards, one or two."""
    devices: Ints
    """How many devices, one to three."""
    home_ip: Ints
    payday: Ints
    """The day of the month on which the salary comes."""
    wanderlust: Floats
    """The chance that a trip abroad begins on a given day."""

    def __len__(self) -> int:
        return len(self.home)

    def visit(self, rng: np.random.Generator, customers: Ints) -> Ints:
        """Choose a favourite merchant for each of these customers."""
        slot = np.searchsorted(_HABIT, rng.random(len(customers)) * _HABIT[-1], side="right")
        return np.asarray(self.favourites[customers, slot], dtype=np.int64)

    def reach(self, rng: np.random.Generator, customers: Ints) -> Ints:
        """Choose one of the cards of each of these customers, mostly the first: numbers 2n and 2n + 1."""
        second = (self.cards[customers] > 1) & (rng.random(len(customers)) < 0.25)
        return customers * 2 + second

    def amounts(self, rng: np.random.Generator, customers: Ints, prices: Floats) -> Floats:
        """Draw what these customers pay at those (log) prices: lognormal about each one's own level."""
        noise = self.spread[customers] * rng.normal(size=len(customers))
        return np.asarray(np.exp(prices + self.level[customers] + noise), dtype=np.float64)


def make_customers(rng: np.random.Generator, merchants: Merchants, count: int) -> Customers:
    """Make the customers and give each the favourites that are within reach."""
    home = rng.choice(ONLINE, size=count, p=PLACES.people)
    return Customers(
        home=home,
        latitude=PLACES.latitude[home] + rng.normal(0, 0.04, count),
        longitude=PLACES.longitude[home] + rng.normal(0, 0.04, count),
        per_day=np.clip(rng.gamma(4.0, 0.75, count), 0.4, 14.0),
        weekend=rng.uniform(0.6, 1.5, count),
        level=rng.normal(0, 0.35, count),
        spread=rng.uniform(0.2, 0.5, count),
        hours=_RHYTHMS + rng.normal(0, 1.0, (count, 1)) + rng.normal(0, 0.4, (count, 3)),
        peaks=_running_shares(rng, count),
        favourites=_favourites(rng, merchants, home),
        novelty=rng.uniform(0.03, 0.18, count),
        cards=1 + (rng.random(count) < 0.35),
        devices=rng.choice([1, 2, 3], size=count, p=[0.55, 0.35, 0.10]),
        home_ip=address(PLACES.country[home], rng.integers(1 << 20, size=count)),
        payday=rng.choice([1, 15, 25, 28], size=count),
        wanderlust=rng.uniform(0.001, 0.012, count),
    )


def _running_shares(rng: np.random.Generator, count: int) -> Floats:
    shares = rng.dirichlet([2.0, 3.0, 4.0], size=count).cumsum(axis=1)
    shares[:, -1] = 1.0
    return np.asarray(shares, dtype=np.float64)


def _favourites(rng: np.random.Generator, merchants: Merchants, home: Ints) -> Ints:
    online = rng.random((len(home), FAVOURITES)) < rng.beta(2.0, 3.5, size=(len(home), 1))
    return merchants.draw(rng, np.where(online, ONLINE, home[:, None]))


def address(country: Ints, number: Ints) -> Ints:
    """Answer an IPv4 address of a country's fixed lines: its own block of the private net 10/8."""
    return (10 << 24) | (country << 20) | number


def mobile_address(country: Ints, number: Ints) -> Ints:
    """Answer an IPv4 address of a country's mobile carriers: its own block of the shared net 100.64/10."""
    return (100 << 24) | (64 << 16) | (country << 18) | number
