"""How unusual a row is: an isolation forest (Liu, Ting & Zhou 2008), with one side to every feature.

Each tree cuts a sample of rows at random until a row is alone. What lies apart is alone after few cuts, so a
short path is unusual. Two things differ from the paper, for what is looked for is not any oddity:

- Only the side of a feature on which fraud lies counts: more, larger, sooner. The other half of its values,
  and missing ones, are drawn together to the median before trees are grown, and no cut ever parts them.
- Where to cut is drawn evenly in asinh of the value, which is its logarithm where it is large. Amounts and
  counts have long tails: drawn evenly in the value itself, the first cuts all fall between the few largest
  rows; drawn evenly in rank, it no longer matters how far away a row lies, and that measured worst.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shroff.core.calibration import Isotonic
from shroff.core.compiled import Array
from shroff.core.trees import MOST, Trees

_EULER = 0.5772156649015329
_BEGINS = 1.0
_A_TENTH = 0.1
_POINTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a forest is grown. More rows in a sample show rarer things, and make larger trees."""

    trees: int = 100
    sample: int = 2048
    depth: int = 8
    seed: int = 7


def isolate(rows: Array, smaller: Array, growth: Growth) -> Trees:
    """Trees over rows [n, f] whose sum is minus the mean path, in units of the usual one; higher is stranger.

    `smaller` [f] says of which features small values are suspicious, instead of large ones. A feature whose
    values are all missing is never asked for.
    """
    dice = np.random.default_rng(growth.seed)
    drawn = _one_sided(rows, smaller)
    size = min(growth.sample, len(rows))
    usual = float(mean_path(max(size, 2))) * growth.trees
    grown = _Grown(smaller=smaller, dice=dice, depth=growth.depth, usual=usual)
    for _ in range(growth.trees):
        grown.add(drawn[dice.choice(len(drawn), size, replace=False)])
    return grown.trees()


def mean_path(rows: int) -> float:
    """How many cuts it takes on average until one of so many rows is alone.

    >>> mean_path(1), mean_path(2), round(mean_path(256), 2)
    (0.0, 1.0, 10.24)
    """
    if rows <= 2:
        return float(rows == 2)
    return 2.0 * (math.log(rows - 1) + _EULER) - 2.0 * (rows - 1) / rows


def rarity(raw: Array) -> Isotonic:
    """The curve from sums of trees to scores that say how rare they were among these [n].

    What one in ten reaches scores 0, one in a hundred 0.1, one in a thousand 0.2: a tenth for ten times
    rarer. Nothing scores more than the rarest of them.
    """
    known, first = np.unique(np.sort(raw), return_index=True)
    share = (len(raw) - first + 1) / (len(raw) + 1)  # at or above; never quite nothing
    scores = np.maximum(_A_TENTH * (-np.log10(share) - _BEGINS), 0.0)
    begin = max(int(np.searchsorted(scores, 0.0, side="right")) - 1, 0)
    kept = np.unique(np.linspace(begin, len(known) - 1, _POINTS).round().astype(np.int64))
    kept = np.unique(np.concatenate([kept, np.arange(max(len(known) - _POINTS, begin), len(known))]))
    return Isotonic(tuple(known[kept].tolist()), tuple(np.round(scores[kept], 9).tolist()))


def _one_sided(rows: Array, smaller: Array) -> Array:
    """The rows with missing values, and those on the harmless side, drawn to the median."""
    drawn = np.clip(np.asarray(rows, np.float64), -MOST, MOST)
    for at, column in enumerate(drawn.T):
        there = column[~np.isnan(column)]
        median = float(np.median(there)) if len(there) else 0.0
        column[np.isnan(column)] = median
        (np.minimum if smaller[at] else np.maximum)(column, median, out=column)
    return drawn


@dataclass(slots=True, kw_only=True)
class _Grown:
    """The columns of the trees so far."""

    smaller: Array
    dice: np.random.Generator
    depth: int
    usual: float
    roots: list[int] = field(default_factory=list)
    splits: list[tuple[int, float]] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)
    leaves: list[tuple[float, float]] = field(default_factory=list)
    """Value and cover."""

    def add(self, rows: Array) -> None:
        """Grow one more tree of these rows. A parent comes before its children."""
        self.roots.append(0)
        open_: list[tuple[Array, int, Callable[[int], None]]] = [(rows, 0, self._root)]
        while open_:
            here, depth, place = open_.pop()
            found = self._cut(here) if depth < self.depth else None
            if found is None:
                place(~len(self.leaves))
                path = depth + mean_path(len(here))
                self.leaves.append((-path / self.usual, float(len(here))))
                continue
            at, threshold = found
            place(len(self.splits))
            self.splits.append(found)
            pair = [0, 0]
            self.children.append(pair)
            left = here[:, at] <= threshold
            open_.append((here[~left], depth + 1, _into(pair, 1)))
            open_.append((here[left], depth + 1, _into(pair, 0)))

    def trees(self) -> Trees:
        """What was grown. Missing values go where the median goes."""
        feature = np.array([at for at, _ in self.splits], np.int32)
        children = np.array(self.children, np.int32).reshape(-1, 2)
        leaves = np.array(self.leaves).reshape(-1, 2)
        return Trees(
            roots=np.array(self.roots, np.int32),
            feature=feature,
            threshold=np.array([threshold for _, threshold in self.splits], np.float64),
            missing_left=~self.smaller[feature],
            left=children[:, 0].copy(),
            right=children[:, 1].copy(),
            value=leaves[:, 0].copy(),
            cover=leaves[:, 1].copy(),
        )

    def _root(self, place: int) -> None:
        self.roots[-1] = place

    def _cut(self, rows: Array) -> tuple[int, float] | None:
        """A feature that still varies and a value with rows on both sides; None where there is none."""
        if len(rows) < 2:
            return None
        low, high = rows.min(axis=0), rows.max(axis=0)
        varies = np.flatnonzero(high > low)
        if not len(varies):
            return None
        at = int(self.dice.choice(varies))
        drawn = math.sinh(self.dice.uniform(math.asinh(low[at]), math.asinh(high[at])))
        below_high = float(np.nextafter(high[at], -np.inf))  # where rounding led out of the range
        return at, float(min(max(drawn, low[at]), below_high))


def _into(pair: list[int], side: int) -> Callable[[int], None]:
    def put(place: int) -> None:
        pair[side] = place

    return put
