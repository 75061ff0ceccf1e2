"""Whether values are distributed as they were: histograms that never need to know what is coming, and PSI.

Every number has its place in one endless row of bins, eight between a power of two and the next: no edges
are to be agreed on, so that days are counted in parts, kept, and added up in any order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from shroff.core.compiled import Array

GROUPS = 10
"""Groups of about equally many transactions of the reference, as is usual; missing is one more."""
LEAST = 300
"""Of n transactions against m something is said where nm / (n + m) is at least this: 300 against very many,
or 600 against as many. Of eleven groups drawn from one distribution PSI comes to 10 (1/n + 1/m) on average by
chance alone, and to three times that once in a thousand times: to less than what is called moving."""
MOVING, SHIFTED = 0.1, 0.25
"""The usual bands of PSI: stable below the first, shifted from the second on."""
MISSING = 16_383
"""The bin of what is missing; the last of numbers is that of infinity, 16,376."""

_BITS, _NEGATIVE = 49, 16_384
_FLOOR = 1e-4
"""The least share of a group, so that an empty one counts much and not endlessly."""
_PENDING = 20_000


def bins(values: Array) -> Array:
    """The bin [...] int16 of each value [...] float64, rising with it: sign, exponent, three bits more."""
    plain = np.ascontiguousarray(values, np.float64) + 0.0  # there is a zero of either sign
    found = plain.view(np.int64) >> _BITS
    found = np.where(found < 0, -1 - (found + _NEGATIVE), found)
    return np.where(np.isnan(plain), MISSING, found).astype(np.int16)


def typical(each: int) -> float | None:
    """What a value of this bin is told as, an eighth off at most; None for what is missing.

    That is a whole number where the bin begins with one, as counts are told exactly then, else its middle.

    >>> [typical(int(each)) for each in bins(np.array([0.0, 3.0, -0.3]))]
    [0.0, 3.0, -0.296875]
    """
    if each == MISSING:
        return None
    if each < 0:
        positive = typical(-1 - each)
        return None if positive is None else 0.0 - positive
    low, high = (float(np.int64(at << _BITS).view(np.float64)) for at in (each, each + 1))
    return low if low.is_integer() or not math.isfinite(high) else (low + high) / 2


class Histograms:
    """How often each column's values fell into each bin."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[int]] = {}
        self._pending: dict[tuple[str, ...], list[Array]] = {}

    def add(self, names: tuple[str, ...], table: Array) -> None:
        """Count a table [n, names]."""
        some = self._pending.setdefault(names, [])
        some.append(bins(table))
        if sum(map(len, some)) >= _PENDING:
            self._count(names)

    def counts(self) -> dict[str, Counter[int]]:
        """Column → bin → count."""
        for names in [*self._pending]:
            self._count(names)
        return self._counts

    def members(self) -> dict[str, list[list[int]]]:
        """All of it as plain JSON values, the same in whatever parts it was counted."""
        return {
            name: [[*each] for each in sorted(found.items())] for name, found in sorted(self.counts().items())
        }

    @classmethod
    def of(cls, members: Mapping[str, Iterable[Sequence[int]]]) -> Histograms:
        """The histograms that gave these members."""
        made = cls()
        made._counts = {
            name: Counter({each[0]: each[1] for each in found}) for name, found in members.items()
        }
        return made

    def plus(self, members: Mapping[str, Iterable[Sequence[int]]]) -> None:
        """Add what others counted."""
        counts = self.counts()
        for name, found in members.items():
            into = counts.setdefault(name, Counter())
            for each, count in found:
                into[each] += count

    def _count(self, names: tuple[str, ...]) -> None:
        table = np.vstack(self._pending.pop(names)).astype(np.int64) + _NEGATIVE
        for at, name in enumerate(names):
            found = np.bincount(table[:, at])
            there = np.flatnonzero(found)
            into = self._counts.setdefault(name, Counter())
            for each, count in zip((there - _NEGATIVE).tolist(), found[there].tolist(), strict=True):
                into[each] += count


def psi(shares: Array, others: Array) -> float:
    """Population stability index of two distributions over the same groups [k]: 0 for equal ones, symmetric.

    >>> round(psi(np.array([0.5, 0.5]), np.array([0.8, 0.2])), 4)
    0.4159
    """
    left, right = np.maximum(shares, _FLOOR), np.maximum(others, _FLOOR)
    return float(np.sum((left - right) * np.log(left / right)))


def grouped(reference: Mapping[int, int], today: Mapping[int, int]) -> tuple[Array, Array]:
    """The shares of both [k] in groups of about equally many of the reference, and of what is missing."""
    known = sorted((reference.keys() | today.keys()) - {MISSING})
    before = np.array([reference.get(each, 0) for each in known], np.float64)
    now = np.array([today.get(each, 0) for each in known], np.float64)
    # A bin belongs where its middle lies, so that a crowded one is alone, and one that is new at an end.
    whole = max(before.sum(), 1.0)
    at = np.minimum((np.cumsum(before) - before / 2) / whole * GROUPS, GROUPS - 1).astype(np.int64)
    shares = []
    for counts, missing in ((before, reference.get(MISSING, 0)), (now, today.get(MISSING, 0))):
        sums = np.append(np.bincount(at, counts, GROUPS), missing)
        shares.append(sums / max(sums.sum(), 1.0))
    return shares[0], shares[1]


def stability(reference: Mapping[int, int], today: Mapping[int, int]) -> float | None:
    """PSI of today against the reference, by histogram; None where there are too few of either."""
    n, m = sum(today.values()), sum(reference.values())
    if n * m < LEAST * (n + m) or not n:
        return None
    return psi(*grouped(reference, today))


def band(value: float | None) -> str | None:
    """What a PSI means: stable, moving or shifted; None where it is not known."""
    if value is None:
        return None
    return "stable" if value < MOVING else "moving" if value < SHIFTED else "shifted"


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value below which this share of those that are not missing lies, as exact as its bin; or None."""
    known = sorted(each for each in counts if each != MISSING)
    left = share * sum(counts[each] for each in known)
    for each in known:
        left -= counts[each]
        if left <= 0:
            return typical(each)
    return None


def missing_share(counts: Mapping[int, int]) -> float:
    """The share of what is missing."""
    return counts.get(MISSING, 0) / max(sum(counts.values()), 1)


def summary(counts: Mapping[int, int]) -> dict[str, Any]:
    """Median, ninetieth percentile and share of missing values, to be told beside each other."""
    return {
        "median": quantile(counts, 0.5),
        "p90": quantile(counts, 0.9),
        "missing": round(missing_share(counts), 6),
    }
