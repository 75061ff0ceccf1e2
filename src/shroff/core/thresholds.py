"""From which score on transactions are reviewed and declined: what costs least, or what can be looked at.

::

    0 ──────────── review ──────────── decline ──────────── 1
      a fraud costs        each costs           a legitimate one
      its value            a review             costs friction

Scores are those by which a policy decides, to six decimals; equal ones are treated alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from shroff.core.compiled import Array

DECIMALS = 6
"""Of a score by which a policy decides."""

REVIEW, DECLINE = "review", "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What mistakes and work cost, in units of the base currency."""

    review: float
    """Looking at one transaction, which finds whether it is a fraud."""
    friction: float
    """Declining one legitimate transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlay:
    """What some thresholds come to over some transactions."""

    cost: float
    passed_value: float
    """Of frauds that were let through."""
    passed: int
    reviewed: int
    reviewed_frauds: int
    declined: int
    declined_legitimate: int


def cheapest(
    fraud: Array, scores: Array, values: Array, costs: Costs, least: float = 0.0
) -> dict[str, float]:
    """The thresholds of least cost, none of them below `least`; an outcome that is not worth it has none.

    `fraud` is [n] bool, `scores` [n] to six decimals, `values` [n] what each would cost as a fraud. Of equal
    costs, those that stop fewest.

    >>> fraud, scores = np.array([False, False, True, False, True]), np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    >>> cheapest(fraud, scores, np.full(5, 100.0), Costs(review=5, friction=20))
    {'review': 0.3, 'decline': 0.9}
    """
    steps = np.unique(scores)
    at = np.searchsorted(steps, scores)
    size = len(steps) + 1
    passed = _before(at, np.where(fraud, values, 0.0), size)
    below = _before(at, np.ones(len(scores)), size)
    legitimate = _before(at, (~fraud).astype(np.float64), size)
    stopped = (legitimate[-1] - legitimate) * costs.friction
    # Thresholds are places between the steps; the cost of (i, j), i <= j, is early[i] + late[j].
    early, late = passed - costs.review * below, costs.review * below + stopped
    early[: int(np.searchsorted(steps, least))] = np.inf
    first = _best_before(early)
    total = early[first] + late
    second = len(total) - 1 - int(np.argmin(total[::-1]))
    places = {REVIEW: int(first[second]), DECLINE: second}
    if places[REVIEW] == places[DECLINE]:
        del places[REVIEW]
    return {
        outcome: max(_between(steps, place), least) for outcome, place in places.items() if place < len(steps)
    }


def within_capacity(days: Array, cards: Array, scores: Array, capacity: int) -> float | None:
    """The least threshold above which on no day more than so many cards lie; None where any is too low.

    `days` and `cards` are [n] int. A card lies above it with its highest score of the day.
    """
    most = -1.0
    for day in np.unique(days).tolist():
        rows = np.flatnonzero(days == day)
        names, at = np.unique(cards[rows], return_inverse=True)
        if len(names) > capacity:
            highest = np.zeros(len(names))
            np.maximum.at(highest, at, scores[rows])
            most = max(most, float(np.sort(highest)[::-1][capacity]))
    steps = np.unique(scores)
    place = int(np.searchsorted(steps, most, side="right"))
    return _between(steps, place) if place < len(steps) else None


def outlay(
    fraud: Array, scores: Array, values: Array, costs: Costs, thresholds: Mapping[str, float]
) -> Outlay:
    """What these thresholds come to; an outcome without one never happens."""
    declined = scores >= thresholds.get(DECLINE, math.inf)
    reviewed = (scores >= thresholds.get(REVIEW, math.inf)) & ~declined
    through = fraud & ~declined & ~reviewed
    refused = int(np.count_nonzero(declined & ~fraud))
    looked = int(np.count_nonzero(reviewed))
    passed = float(np.sum(values[through]))
    return Outlay(
        cost=passed + looked * costs.review + refused * costs.friction,
        passed_value=passed,
        passed=int(np.count_nonzero(through)),
        reviewed=looked,
        reviewed_frauds=int(np.count_nonzero(reviewed & fraud)),
        declined=int(np.count_nonzero(declined)),
        declined_legitimate=refused,
    )


def _before(at: Array, weights: Array, size: int) -> Array:
    """What lies below each place [size] between the steps."""
    return np.concatenate([[0.0], np.cumsum(np.bincount(at, weights=weights, minlength=size - 1))])


def _best_before(values: Array) -> Array:
    """For each place the last one up to it that has the least value up to it."""
    least = np.minimum.accumulate(values)
    places = np.where(values <= least, np.arange(len(values)), 0)
    best: Array = np.maximum.accumulate(places)
    return best


def _between(steps: Array, place: int) -> float:
    """The shortest decimal that lies above the step below a place and not above the step there."""
    high = Decimal(f"{steps[place]:.{DECIMALS}f}")
    low = Decimal(f"{steps[place - 1]:.{DECIMALS}f}") if place else Decimal(-1)
    for digits in range(1, DECIMALS + 1):
        shortest = high.quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR)
        if shortest > low:
            return float(shortest)
    return float(high)
