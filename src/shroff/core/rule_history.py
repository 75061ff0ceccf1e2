"""Whether a rule hits as it used to: silent, spiking, never, or as usual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_DAYS = 7
"""Days of history from which on something is said: each day of the week is in it once."""
REGULAR = 0.5
"""A rule that hit on fewer of its days comes in bursts: no day without a hit says anything of it."""
SILENT_CHANCE = 0.001
"""Of thirty rules that are well, one would be called silent by chance in a month."""
SPIKE_CHANCE = 1e-6
SPIKE_TIMES = 3
"""Hits come in bunches, as the transactions of one thief do, and so wander further than Poisson's: a spike is
also this many times what was to be expected, and more than on any day of the history."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a rule's hits of a day stand to those of the days before."""

    state: str | None
    """silent, spiking, never, usual; None with too little history."""
    expected: float | None
    """Hits to be expected of today's transactions at the rate of the history."""
    days: int
    """Of its history."""


def habit(hits: int, transactions: int, history: Sequence[tuple[int, int]]) -> Habit:
    """How (hits, transactions) of today stand to those of earlier days on which there was the rule."""
    days = [(some, of) for some, of in history if of]
    if len(days) < LEAST_DAYS:
        return Habit(None, None, len(days))
    before = sum(some for some, _ in days)
    expected = transactions * before / sum(of for _, of in days)
    if not before and not hits:
        return Habit("never", expected, len(days))
    regular = sum(some > 0 for some, _ in days) >= REGULAR * len(days)
    if not hits and regular and math.exp(-expected) < SILENT_CHANCE:
        return Habit("silent", expected, len(days))
    most = max(some for some, _ in days)
    if hits > max(most, SPIKE_TIMES * expected) and chance_of(hits, expected) < SPIKE_CHANCE:
        return Habit("spiking", expected, len(days))
    return Habit("usual", expected, len(days))


def chance_of(hits: int, expected: float) -> float:
    """The chance of so many hits or more where they come by Poisson's law; an upper bound above its mean.

    >>> round(chance_of(1, 0.5), 4)
    0.3935
    """
    if hits <= 0:
        return 1.0
    # Of a history without a hit no rate is known: half a hit is the least that it does not speak against.
    mean = max(expected, 0.5)
    if hits <= mean:
        return 1.0
    first = math.exp(hits * math.log(mean) - mean - math.lgamma(hits + 1))
    total, term, at = 0.0, first, hits
    while term > total * 1e-12:
        total += term
        at += 1
        term *= mean / at
    return min(total, 1.0)
