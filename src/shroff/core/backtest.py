"""What a policy's decisions over history come to: counts and money by day, and how sure a figure is.

Everything is kept by UTC day, outcome and label, so that memory grows with days and not with transactions,
and so that whole days are drawn again for an interval: the transactions of a day are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy import OUTCOMES

UNKNOWN, LEGITIMATE, FRAUD = 0, 1, 2
"""What is known of a transaction; columns of labels hold these."""

SHARES = ("precision", "recall", "value_detection_rate")
MEASURES = ("alerts_per_day", *SHARES)

_LABELS, _DAY = 3, 86_400_000
_NORMAL = 1.959963984540054
"""Standard deviations on either side of the middle 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, each None where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(slots=True)
class Day:
    """What was decided of the transactions of one day."""

    counts: Array = field(default_factory=lambda: np.zeros((len(OUTCOMES), _LABELS), np.int64))
    """[outcomes, labels] transactions."""
    values: Array = field(default_factory=lambda: np.zeros((len(OUTCOMES), _LABELS), object))
    """[outcomes, labels] money in whole minor units of one currency."""
    alerts: int = 0


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one policy's decisions come to."""

    caught_from: int
    """The mildest outcome that somebody is told of, a position in OUTCOMES: from it on a fraud is caught."""
    days: dict[int, Day] = field(default_factory=dict)
    """Days since 1970 in which transactions occurred."""

    def add(self, occurred_at: Array, outcomes: Array, labels: Array, values: Array) -> None:
        """Count decided transactions: [n] ms, [n] positions in OUTCOMES, [n] labels, [n] minor units."""
        days, cells = occurred_at // _DAY, outcomes * _LABELS + labels
        for number in np.unique(days).tolist():
            mine, day = days == number, self.day(number)
            size = day.counts.size
            day.counts += np.bincount(cells[mine], minlength=size).reshape(day.counts.shape)
            money = np.bincount(cells[mine], weights=values[mine], minlength=size)
            day.values += np.array([int(each) for each in money], object).reshape(day.values.shape)

    def day(self, number: int) -> Day:
        """A day, empty where nothing was counted in it."""
        return self.days.setdefault(number, Day())

    def counts(self) -> Array:
        """[outcomes, labels] transactions of all days."""
        return sum((day.counts for day in self.days.values()), Day().counts)

    def values(self) -> Array:
        """[outcomes, labels] minor units of all days, exact integers."""
        return sum((day.values for day in self.days.values()), Day().values)

    def alerts(self) -> int:
        """The alerts of all days."""
        return sum(day.alerts for day in self.days.values())

    def estimates(self) -> dict[str, Estimate]:
        """Precision and recall with Wilson's interval, where something is known."""
        counts = self.counts()
        caught = counts[self.caught_from :]
        hits = int(caught[:, FRAUD].sum())
        return {
            "precision": wilson(hits, hits + int(caught[:, LEGITIMATE].sum())),
            "recall": wilson(hits, int(counts[:, FRAUD].sum())),
        }

    def rows(self) -> Array:
        """[days, 6] what the measures are made of: see `_measures`."""
        rows = [self._row(self.days[number]) for number in sorted(self.days)]
        return np.array(rows, np.float64).reshape(len(rows), 6)

    def _row(self, day: Day) -> list[float]:
        counts, values = day.counts[self.caught_from :], day.values[self.caught_from :]
        return [
            day.alerts,
            counts[:, FRAUD].sum(),
            counts[:, LEGITIMATE].sum(),
            day.counts[:, FRAUD].sum(),
            values[:, FRAUD].sum(),
            day.values[:, FRAUD].sum(),
        ]


def wilson(hits: int, of: int) -> Estimate:
    """A share with Wilson's 95 % interval, which stays honest for few and for extreme shares.

    >>> wilson(8, 10)
    Estimate(value=0.8, low=0.490162, high=0.943318)
    >>> wilson(0, 0)
    Estimate(value=None, low=None, high=None)
    """
    if of == 0:
        return Estimate(None)
    share, square = hits / of, _NORMAL**2
    middle = share + square / (2 * of)
    spread = _NORMAL * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    low, high = ((middle + sign * spread) / (1 + square / of) for sign in (-1, 1))
    # At the ends the bound is the share itself; rounding must not put it beside.
    return Estimate(_round(share), _round(min(max(low, 0.0), share)), _round(max(min(high, 1.0), share)))


def resampled(
    tallies: tuple[Tally, Tally], seed: int, draws: int = 1_000
) -> tuple[Mapping[str, Estimate], Mapping[str, Estimate], Mapping[str, Estimate]]:
    """The MEASURES of both, and the second's less the first's, with bootstrap intervals over days.

    Both are of the same transactions and meet the same draws, so that what they have in common cancels out of
    the change. With fewer than two days there is no interval.
    """
    rows = [tally.rows() for tally in tallies]
    days = len(rows[0])
    whole = [_measures(each.sum(axis=0)[None], days) for each in rows]
    weights = (
        np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), draws) if days > 1 else None
    )
    drawn = None if weights is None else [_measures(weights @ each, days) for each in rows]
    sides = [_estimates(whole[at], None if drawn is None else drawn[at]) for at in (0, 1)]
    changes = None if drawn is None else _less(drawn[1], drawn[0])
    return sides[0], sides[1], _estimates(_less(whole[1], whole[0]), changes)


def _measures(totals: Array, days: int) -> dict[str, Array]:
    """The MEASURES of rows [n, 6]: alerts, caught fraud and legitimate, fraud, its money caught and all."""
    alerts, caught, false, frauds, money_caught, money = totals.T
    return {
        "alerts_per_day": alerts / max(days, 1),
        "precision": _share(caught, caught + false),
        "recall": _share(caught, frauds),
        "value_detection_rate": _share(money_caught, money),
    }


def _share(part: Array, of: Array) -> Array:
    shares: Array = np.divide(part, of, out=np.full(len(of), np.nan), where=of > 0)
    return shares


def _less(these: Mapping[str, Array], those: Mapping[str, Array]) -> dict[str, Array]:
    return {name: these[name] - those[name] for name in MEASURES}


def _estimates(whole: Mapping[str, Array], drawn: Mapping[str, Array] | None) -> dict[str, Estimate]:
    return {
        name: _estimate(float(whole[name][0]), None if drawn is None else drawn[name]) for name in MEASURES
    }


def _estimate(value: float, drawn: Array | None) -> Estimate:
    if math.isnan(value):
        return Estimate(None)
    told = np.empty(0) if drawn is None else drawn[~np.isnan(drawn)]
    if not len(told):
        return Estimate(_round(value))
    low, high = np.quantile(told, [0.025, 0.975]).tolist()
    return Estimate(_round(value), _round(low), _round(high))


def _round(value: float) -> float:
    return round(value, 6)
