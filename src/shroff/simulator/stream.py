"""The stream of simulated transactions: day by day, in time order, each with its label beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from shroff.simulator import identity
from shroff.simulator.habits.legitimate import honest_day
from shroff.simulator.habits.whereabouts import Whereabouts
from shroff.simulator.merchants import CATEGORIES, CHANNELS
from shroff.simulator.payments import Payments
from shroff.simulator.places import COUNTRIES, CURRENCIES, PLACES
from shroff.simulator.underworld import Underworld
from shroff.simulator.world import DAY, World, make_world

DEFAULT_START = 1_740_960_000_000
"""2025-03-03, a Monday, 00:00 UTC."""
DEFAULT_FRAUD_RATE = 0.006

Scalar: TypeAlias = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One transaction: what goes on the wire, and apart from it the truth about it."""

    occurred_at: int
    """Milliseconds since 1970, UTC; the wire's `timestamp` says the same in seconds."""
    body: dict[str, str | float]
    """What a client would post: only members that are there."""
    fraud: bool
    typology: str | None
    episode: str | None
    """Which fraud it is part of, such as mule_burst-0004."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The transactions of one day as columns of one length, in time order; None is a missing member."""

    occurred_at: list[int]
    wire: dict[str, list[Scalar]]
    """The members of the wire contract, by name."""
    typology: list[str | None]
    """None is an honest transaction."""
    episode: list[str | None]

    def __len__(self) -> int:
        return len(self.occurred_at)

    def __iter__(self) -> Iterator[Simulated]:
        names = tuple(self.wire)
        rows = zip(*self.wire.values(), strict=True)
        truths = zip(self.occurred_at, self.typology, self.episode, strict=True)
        for values, (occurred_at, typology, episode) in zip(rows, truths, strict=True):
            body = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            yield Simulated(
                occurred_at=occurred_at,
                body=body,
                fraud=typology is not None,
                typology=typology,
                episode=episode,
            )


def simulate(
    *,
    days: int,
    customers: int,
    seed: int,
    start: int = DEFAULT_START,
    fraud_rate: float = DEFAULT_FRAUD_RATE,
) -> Iterator[Simulated]:
    """Yield the transactions of so many days in time order; see `simulate_days`."""
    for day in simulate_days(days=days, customers=customers, seed=seed, start=start, fraud_rate=fraud_rate):
        yield from day


def simulate_days(
    *,
    days: int,
    customers: int,
    seed: int,
    start: int = DEFAULT_START,
    fraud_rate: float = DEFAULT_FRAUD_RATE,
) -> Iterator[Day]:
    """Yield one day of columns after the other, from `start` in milliseconds since 1970.

    The same arguments give the same transactions, with the same version of numpy on the same kind of machine.
    More days only add to them: what a day holds depends on the days before it and never on how many follow,
    and memory is bounded by the day. Episodes that are not over at the end are cut off. Raises ValueError for
    arguments that make no sense.
    """
    if days < 0 or customers < 1 or seed < 0 or not 0 <= fraud_rate <= 0.5:
        raise ValueError("days and seed must not be negative, customers at least 1, fraud_rate from 0 to 0.5")
    return _days(days, customers, seed, start, fraud_rate)


def _days(days: int, customers: int, seed: int, start: int, fraud_rate: float) -> Iterator[Day]:
    population = np.random.SeedSequence(seed, spawn_key=(0,))
    world = make_world(population, customers)
    names = _Names(world, key=_key(seed, customers, start, round(fraud_rate * 1e6)))
    whereabouts, underworld = Whereabouts(world), Underworld(world, fraud_rate)
    unfinished: list[Payments] = []
    for number in range(days):
        seeds = np.random.SeedSequence(seed, spawn_key=(1, number)).spawn(3)
        walk, honesty, crime = (np.random.default_rng(child) for child in seeds)
        today = whereabouts.wake(number, start + number * DAY, walk)
        honest = honest_day(world, today, honesty)
        due = Payments.together([*unfinished, honest, *underworld.strike(today, honest, crime)])
        over = due.occurred_at < today.start + DAY
        unfinished = [due.where(~over)]
        yield names.day(due.where(over).in_time_order(), underworld.episodes)


def _key(*arguments: int) -> int:
    """Answer a key of 64 bits, so that other arguments name their transactions otherwise."""
    return int(np.random.SeedSequence(arguments).generate_state(1, np.uint64)[0])


class _Names:
    """Puts the names on payments; counts transactions, since the count becomes the id."""

    def __init__(self, world: World, key: int) -> None:
        self._merchants = world.merchants
        self._currency = [CURRENCIES[country] for country in PLACES.country[world.customers.home].tolist()]
        self._key = key
        self._count = 0

    def day(self, payments: Payments, episodes: list[str]) -> Day:
        """Name the columns of one day; the id tells the position in the stream only to who knows the key."""
        first, self._count = self._count, self._count + len(payments)
        occurred_at = payments.occurred_at.tolist()
        labels = [episodes[number] if number >= 0 else None for number in payments.episode.tolist()]
        wire: dict[str, list[Scalar]] = {
            "transaction_id": [*identity.transaction_ids(self._key, first, len(payments))],
            # Text, because a binary float is not an exact amount in every format that a writer may choose.
            "amount": [f"{cents // 100}.{cents % 100:02d}" for cents in payments.cents.tolist()],
            "timestamp": [at / 1000 for at in occurred_at],
            "customer_id": [*identity.customer_ids(payments.customer)],
            **self._shops(payments),
            "currency": [self._currency[customer] for customer in payments.customer.tolist()],
            "card_id": [*identity.card_ids(payments.card)],
            "device_id": [*identity.device_ids(payments.device)],
            "ip": [*identity.ip_texts(payments.ip)],
            "email": [*identity.emails(payments.email)],
            "country": [COUNTRIES[country] for country in payments.country.tolist()],
            "latitude": payments.latitude.round(4).tolist(),
            "longitude": payments.longitude.round(4).tolist(),
        }
        named = [
            f"{label}-{number:04d}" if label else None
            for label, number in zip(labels, payments.episode.tolist(), strict=True)
        ]
        return Day(occurred_at=occurred_at, wire=wire, typology=labels, episode=named)

    def _shops(self, payments: Payments) -> dict[str, list[Scalar]]:
        merchants = payments.merchant.tolist()
        categories = self._merchants.category[payments.merchant].tolist()
        channels = self._merchants.channel[payments.merchant].tolist()
        return {
            "merchant": [self._merchants.name[merchant] for merchant in merchants],
            "merchant_category": [CATEGORIES[category].name for category in categories],
            "channel": [CHANNELS[channel] for channel in channels],
        }
