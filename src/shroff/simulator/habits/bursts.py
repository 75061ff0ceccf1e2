"""Honest bursts, each the innocent twin of a fraud: many payments in a short time by the right person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shroff.simulator.merchants import POS
from shroff.simulator.payments import Payments
from shroff.simulator.places import Floats, Ints
from shroff.simulator.world import MINUTE, SECOND, Rig, Today, World, own_rig, pay


def shopping_rounds(world: World, today: Today, rng: np.random.Generator) -> Payments:
    """An afternoon in town, four to eight shops in two hours: the twin of the stolen card spree."""
    people = world.customers
    who = _some(len(people), 0.02 if today.weekend else 0.006, rng)
    who, at = _burst(today, who, rng, sizes=(4, 9), gap=20 * MINUTE, hour=14.0)
    merchants = world.merchants.draw(rng, today.place[who])
    at_till = world.merchants.channel[merchants] == POS
    who, at, merchants = who[at_till], at[at_till], merchants[at_till]
    amounts = people.amounts(rng, who, world.merchants.price[merchants])
    rig = _first_device(world, today, who, rng)
    return pay(world, cards=who * 2, merchants=merchants, at=at, amounts=amounts, rig=rig)


def bill_evenings(world: World, today: Today, rich: Floats, rng: np.random.Generator) -> Payments:
    """An evening of bills after payday, three to ten transfers: the twin of the mule burst."""
    people = world.customers
    who = _some(len(people), 0.06 * rich, rng)
    who, at = _burst(today, who, rng, sizes=(3, 11), gap=3 * MINUTE, hour=19.5)
    payees = world.merchants.selling("transfer")
    # The same few payees every month: the choice depends on the customer alone.
    merchants = payees[(who * 31 + rng.integers(8, size=len(who))) % len(payees)]
    amounts = people.amounts(rng, who, world.merchants.price[merchants])
    rig = _first_device(world, today, who, rng)
    return pay(world, cards=who * 2, merchants=merchants, at=at, amounts=amounts, rig=rig)


def game_nights(world: World, today: Today, rng: np.random.Generator) -> Payments:
    """A night of small purchases in one game, three to ten: the twin of card testing."""
    who = _some(len(world.customers), 0.005, rng)
    who, at = _burst(today, who, rng, sizes=(3, 11), gap=4 * MINUTE, hour=21.5)
    games = world.merchants.selling("digital")
    merchants = games[who * 7 % len(games)]
    amounts = rng.choice([0.99, 1.99, 4.99, 9.99], size=len(who), p=[0.4, 0.3, 0.2, 0.1])
    rig = _first_device(world, today, who, rng)
    return pay(world, cards=who * 2, merchants=merchants, at=at, amounts=amounts, rig=rig)


def _some(count: int, chance: float | Floats, rng: np.random.Generator) -> Ints:
    return np.flatnonzero(rng.random(count) < chance)


def _burst(
    today: Today, who: Ints, rng: np.random.Generator, *, sizes: tuple[int, int], gap: int, hour: float
) -> tuple[Ints, Ints]:
    """Repeat each customer, at instants that follow each other by about `gap` milliseconds."""
    begin = today.at(rng.normal(hour, 1.5, len(who)), today.place[who])
    size = rng.integers(*sizes, size=len(who))
    gaps = (rng.exponential(gap, size=size.sum()) + 5 * SECOND).astype(np.int64)
    elapsed = np.cumsum(gaps)
    before = np.concatenate([[0], elapsed])[np.cumsum(size) - size]
    return np.repeat(who, size), np.repeat(begin - before, size) + elapsed


def _first_device(world: World, today: Today, who: Ints, rng: np.random.Generator) -> Rig:
    """One device for the whole burst, as people do."""
    return replace(own_rig(world, today, who, rng), device=(who << 20) | today.phone[who])
