"""What each feature contributes to a sum of trees: path-dependent TreeSHAP (Lundberg et al. 2018).

A leaf is reached where every feature on its path lies in an interval. Say `d` features are on the path. One
known counts `inside`, 1 or 0; one left out counts `share`, that part of the training rows that went on along
the path. A feature's Shapley value in the game of this leaf is::

    value * (inside[j] - share[j]) * integral, t from 0 to 1, of
        product over all k but j of (t * inside[k] + (1 - t) * share[k])

Under the integral is a polynomial of degree d - 1, so Gauss and Legendre's rule with d / 2 points has it
exactly. That is a few operations on arrays for all leaves of all trees at once, quick without a compiler too,
and next to nothing cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array
from shroff.core.trees import MOST, Trees

_Path = dict[int, tuple[float, float, bool, float]]  # feature: above, up to, missing too, share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaves:
    """The leaves [k] whose paths have `d` features, with one interval a feature [k, d]."""

    feature: Array
    above: Array
    up_to: Array
    missing: Array
    share: Array
    value: Array
    points: Array
    weights: Array

    @classmethod
    def of(cls, paths: list[tuple[_Path, float]]) -> _Leaves:
        above, up_to, missing, share = (
            np.array([[step[part] for step in path.values()] for path, _ in paths]) for part in range(4)
        )
        points, weights = np.polynomial.legendre.leggauss((len(paths[0][0]) + 1) // 2)
        return cls(
            feature=np.array([list(path) for path, _ in paths]),
            above=above,
            up_to=up_to,
            missing=missing,
            share=share,
            value=np.array([value for _, value in paths]),
            points=((points + 1) / 2)[:, None, None],
            weights=(weights / 2)[:, None],
        )

    def contributions(self, row: Array, features: int) -> Array:
        found = row[self.feature]
        inside = ((found > self.above) & (found <= self.up_to)) | (self.missing & np.isnan(found))
        factors = self.points * inside + (1 - self.points) * self.share
        others = (self.weights * factors.prod(axis=2))[:, :, None] / factors
        values = self.value[:, None] * (inside - self.share) * others.sum(axis=0)
        return np.bincount(self.feature.ravel(), values.ravel(), features)


class Contributions:
    """The paths of some trees, laid out once, and what they contribute."""

    def __init__(self, trees: Trees) -> None:
        shares, self.expected = _covers(trees)
        by_length: dict[int, list[tuple[_Path, float]]] = {}
        for path, value in _paths(trees, shares):
            by_length.setdefault(len(path), []).append((path, value))
        self._leaves = [_Leaves.of(paths) for length, paths in sorted(by_length.items()) if length]

    def of(self, rows: Array, base: float) -> Array:
        """For rows [n, features] what each feature adds [n, features + 1]; the last is what is expected.

        Each row's contributions add up to its sum of trees, but for the rounding of some thousand additions.
        """
        rows = np.clip(np.asarray(rows, np.float64), -MOST, MOST)
        out = np.zeros((len(rows), rows.shape[1] + 1))
        out[:, -1] = base + self.expected
        for row, target in zip(rows, out, strict=True):  # one by one: the answer is the same in any batch
            for leaves in self._leaves:
                target[:-1] += leaves.contributions(row, rows.shape[1])
        return out


def _covers(trees: Trees) -> tuple[dict[int, tuple[float, float]], float]:
    """The shares of a split's rows that go left and right, and what all trees expect."""
    cover: dict[int, float] = {~leaf: float(weight) for leaf, weight in enumerate(trees.cover)}
    total = {~leaf: float(value) * cover[~leaf] for leaf, value in enumerate(trees.value)}
    shares: dict[int, tuple[float, float]] = {}
    for split in reversed(range(len(trees.feature))):  # a child comes after its parent
        left, right = int(trees.left[split]), int(trees.right[split])
        cover[split] = cover[left] + cover[right]
        total[split] = total[left] + total[right]
        shares[split] = (cover[left] / cover[split], cover[right] / cover[split])
    return shares, sum(total[root] / cover[root] for root in trees.roots.tolist())


def _paths(trees: Trees, shares: dict[int, tuple[float, float]]) -> Iterator[tuple[_Path, float]]:
    """Every leaf's path, a feature that is asked for twice once, and its value."""
    stack: list[tuple[int, _Path]] = [(root, {}) for root in reversed(trees.roots.tolist())]
    while stack:
        at, path = stack.pop()
        if at < 0:
            yield path, float(trees.value[~at])
            continue
        feature, threshold = int(trees.feature[at]), float(trees.threshold[at])
        above, up_to, missing, share = path.get(feature, (-np.inf, np.inf, True, 1.0))
        missing_left = bool(trees.missing_left[at])
        to_left, to_right = shares[at]
        right = (max(above, threshold), up_to, missing and not missing_left, share * to_right)
        left = (above, min(up_to, threshold), missing and missing_left, share * to_left)
        stack.append((int(trees.right[at]), {**path, feature: right}))
        stack.append((int(trees.left[at]), {**path, feature: left}))
