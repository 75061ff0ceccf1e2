"""The world on one day: who is where, what they pay with, and how a payment looks from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from shroff.simulator.customers import MOBILE_POOL, Customers, address, make_customers, mobile_address
from shroff.simulator.merchants import ATM, WEB, Merchants, make_merchants
from shroff.simulator.payments import NONE, Payments, in_cents
from shroff.simulator.places import PLACES, Floats, Ints

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000
SECOND = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody and every shop, the same on all days."""

    customers: Customers
    merchants: Merchants


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """One day of the world: 24 hours from `start`, in milliseconds since 1970."""

    number: int
    start: int
    place: Ints
    """Where each customer spends the day."""
    phone: Ints
    """How often each customer has changed devices so far."""

    @property
    def date(self) -> datetime:
        """The instant at which the day starts."""
        return _EPOCH + timedelta(milliseconds=self.start)

    @property
    def weekend(self) -> bool:
        """Whether it starts on a Saturday or Sunday, UTC."""
        return self.date.weekday() >= 5

    def at(self, hours: Floats, places: Ints) -> Ints:
        """Answer the instants of this day when the clocks of the places show these hours."""
        local = (hours * HOUR).astype(np.int64) - PLACES.utc_offset[places] * HOUR
        return self.start + (local - self.start) % DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What somebody pays with online, one row a payment: machine, line, mail address and whereabouts."""

    device: Ints
    ip: Ints
    email: Ints
    country: Ints
    latitude: Floats
    longitude: Floats


def make_world(seeds: np.random.SeedSequence, count: int) -> World:
    """Make the population of so many customers, and the merchants they need."""
    for_merchants, for_customers = seeds.spawn(2)
    merchants = make_merchants(np.random.default_rng(for_merchants), count)
    return World(
        merchants=merchants, customers=make_customers(np.random.default_rng(for_customers), merchants, count)
    )


def own_rig(world: World, today: Today, who: Ints, rng: np.random.Generator) -> Rig:
    """Answer what these customers pay with online themselves today."""
    people, place = world.customers, today.place[who]
    country, count = PLACES.country[place], len(who)
    slot = (rng.random(count) ** 3 * people.devices[who]).astype(np.int64)
    home = place == people.home[who]
    line = rng.random(count)
    mobile = mobile_address(country, rng.integers(1, min(MOBILE_POOL, 16 + len(people) // 40), size=count))
    hotspot = address(country, rng.integers(1, 1 << 9, size=count))
    return Rig(
        device=(who << 20) | (slot << 16) | (today.phone[who] * (slot == 0)),
        ip=np.where(home & (line < 0.65), people.home_ip[who], np.where(line < 0.9, mobile, hotspot)),
        email=who,
        country=country,
        latitude=np.where(home, people.latitude[who], PLACES.latitude[place]) + rng.normal(0, 0.01, count),
        longitude=np.where(home, people.longitude[who], PLACES.longitude[place]) + rng.normal(0, 0.01, count),
    )


def rogue_rig(place: int, rng: np.random.Generator) -> Rig:
    """Answer a fraudster's machine in a place, one row: it looks like anybody's, only never seen before."""
    country = PLACES.country[[place]]
    return Rig(
        device=(1 << 50) + rng.integers(1 << 40, size=1),
        ip=address(country, rng.integers(1 << 9, 1 << 20, size=1)),
        email=(1 << 50) + rng.integers(1 << 40, size=1),
        country=country,
        latitude=PLACES.latitude[[place]] + rng.normal(0, 0.04, 1),
        longitude=PLACES.longitude[[place]] + rng.normal(0, 0.04, 1),
    )


def pay(world: World, *, cards: Ints, merchants: Ints, at: Ints, amounts: Floats, rig: Rig) -> Payments:
    """Make payments: with the rig at online merchants, else at the merchant's own place."""
    shop, count = world.merchants, len(at)
    merchant, card = np.broadcast_to(merchants, count), np.broadcast_to(cards, count)
    web = shop.channel[merchant] == WEB
    town = np.where(web, 0, shop.place[merchant])
    amounts = np.where(shop.channel[merchant] == ATM, np.maximum(np.rint(amounts / 20), 1) * 20, amounts)
    return Payments(
        occurred_at=at,
        customer=card // 2,
        card=card,
        merchant=merchant,
        cents=in_cents(amounts),
        device=np.where(web, rig.device, NONE),
        ip=np.where(web, rig.ip, NONE),
        email=np.where(web, rig.email, NONE),
        country=np.where(web, rig.country, PLACES.country[town]),
        latitude=np.where(web, rig.latitude, shop.latitude[merchant]),
        longitude=np.where(web, rig.longitude, shop.longitude[merchant]),
        episode=np.full(count, NONE),
    )
