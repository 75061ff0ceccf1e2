"""A day of honest payments: habits, a few new shops, and what looks odd but is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shroff.simulator.habits.bursts import bill_evenings, game_nights, shopping_rounds
from shroff.simulator.merchants import WEB
from shroff.simulator.payments import Payments
from shroff.simulator.places import ONLINE, Floats, Ints
from shroff.simulator.world import HOUR, SECOND, Today, World, own_rig, pay

_ABROAD_IS_DEARER = 0.25
_BIG_PURCHASES = 0.004
_ROUND_AMOUNTS = 0.08
_RETRIES = 0.003


def honest_day(world: World, today: Today, rng: np.random.Generator) -> Payments:
    """Answer all honest payments that begin today; a few of them end shortly after midnight."""
    rich = _payday(world, today)
    ordinary = _ordinary(world, today, rich, rng)
    return Payments.together(
        [
            ordinary,
            _retries(ordinary, rng),
            shopping_rounds(world, today, rng),
            bill_evenings(world, today, rich, rng),
            game_nights(world, today, rng),
        ]
    )


def _ordinary(world: World, today: Today, rich: Floats, rng: np.random.Generator) -> Payments:
    people = world.customers
    rate = people.per_day * (1 + 0.8 * rich) * _season(today)
    rate = rate * people.weekend if today.weekend else rate
    who = np.repeat(np.arange(len(people)), rng.poisson(rate))
    merchants = _merchants(world, today, who, rng)
    return pay(
        world,
        cards=people.reach(rng, who),
        merchants=merchants,
        at=_instants(world, today, who, rng),
        amounts=_amounts(world, today, who, merchants, rich, rng),
        rig=own_rig(world, today, who, rng),
    )


def _merchants(world: World, today: Today, who: Ints, rng: np.random.Generator) -> Ints:
    """Favourites at home; whoever is elsewhere pays there, or goes on paying the online favourites."""
    people, place = world.customers, today.place[who]
    favourite = people.visit(rng, who)
    out_of_reach = (place != people.home[who]) & (world.merchants.channel[favourite] != WEB)
    new = out_of_reach | (rng.random(len(who)) < people.novelty[who])
    online = ~out_of_reach & (rng.random(len(who)) < 0.35)
    return np.where(new, world.merchants.draw(rng, np.where(online, ONLINE, place)), favourite)


def _instants(world: World, today: Today, who: Ints, rng: np.random.Generator) -> Ints:
    """Around the peaks of each customer's own day, an hour and a half later at weekends."""
    people = world.customers
    peak = (rng.random((len(who), 1)) > people.peaks[who]).sum(axis=1)
    hours = people.hours[who, peak] + rng.normal(0, 1.3, len(who)) + 1.5 * today.weekend
    return today.at(hours, today.place[who])


def _amounts(
    world: World, today: Today, who: Ints, merchants: Ints, rich: Floats, rng: np.random.Generator
) -> Floats:
    people, count = world.customers, len(who)
    away = today.place[who] != people.home[who]
    prices = world.merchants.price[merchants] + 0.2 * rich[who] + _ABROAD_IS_DEARER * away
    prices = prices + (rng.random(count) < _BIG_PURCHASES) * rng.uniform(1.0, 2.2, count)
    amounts = people.amounts(rng, who, prices)
    is_round = (amounts > 20) & (rng.random(count) < _ROUND_AMOUNTS)
    return np.asarray(np.where(is_round, np.rint(amounts / 10) * 10, amounts), dtype=np.float64)


def _payday(world: World, today: Today) -> Floats:
    """One for the customers who were paid today or yesterday, else zero."""
    since = today.date.day - world.customers.payday
    return np.asarray((since == 0) | (since == 1), dtype=np.float64)


def _season(today: Today) -> float:
    """The factor of the holiday shopping, from late November to Christmas."""
    month, day = today.date.month, today.date.day
    return 1.35 if (month, day) >= (11, 24) and (month, day) <= (12, 24) else 1.0


def _retries(payments: Payments, rng: np.random.Generator) -> Payments:
    """Some pay twice within two minutes, because the first try seemed to fail."""
    again = payments.where(rng.random(len(payments)) < _RETRIES)
    later = again.occurred_at + rng.integers(15 * SECOND, HOUR // 30, size=len(again))
    return replace(again, occurred_at=later)
