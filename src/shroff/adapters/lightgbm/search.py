"""Choosing how trees are grown: a small grid, tried on windows that lie before the validation days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from shroff.adapters.lightgbm.train import FIXED, MOST_TREES, Parameters, library
from shroff.core.compiled import Array
from shroff.core.metrics import average_precision

Show = Callable[[int, int], None]
"""Told how many trials are done, and how many rows they were trained on."""

Window = tuple[Array, Array]
"""Rows that train, and later ones that say what came of it."""

MOST_ROWS = 60_000
"""Legitimate rows that train in a window, or that validate; of more a sample stands for all."""

_GRID = {
    "num_leaves": (6, 8, 16, 31),
    "learning_rate": (0.03, 0.05, 0.1),
    "feature_fraction": (0.3, 0.5, 0.8),
    "min_data_in_leaf": (20, 100),
    "lambda_l2": (1.0, 5.0, 20.0),
}
_LARGE = 16
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What did best, and what was tried."""

    parameters: Parameters
    trees: int
    """How many of these the windows wanted, as a mean: for who has no later rows to stop by."""
    told: dict[str, Any]
    """As plain JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of a window, each standing for so many."""

    x: Array
    y: Array
    weights: Array


def search(x: Array, y: Array, windows: Sequence[Window], *, seed: int, tries: int, show: Show) -> Found:
    """The best of so many settings by the mean average precision over the windows; of equals, the first.

    `x` is [n, features], `y` [n] whether each was fraud; windows name rows of them. The first that is tried
    are the defaults, the others are drawn from a grid; the same seed tries the same.
    """
    samples = [tuple(sampled(x, y, rows, seed) for rows in window) for window in windows]
    candidates = _candidates(seed, tries)
    scores = np.zeros((len(candidates), len(windows)))
    wanted = np.zeros((len(candidates), len(windows)))
    rows = done = 0
    for place, (known, later) in enumerate(samples):
        data = _Data(known, later, seed)
        for number, candidate in enumerate(candidates):
            scores[number, place], wanted[number, place] = data.worth(candidate)
            rows, done = rows + len(known.y), done + 1
            show(done, rows)
    means = scores.mean(axis=1)
    best = int(np.argmax(means))
    trees = max(round(float(wanted[best].mean())), 1)
    return Found(parameters=candidates[best], trees=trees, told=_told(candidates, means, samples))


class _Data:
    """One window, put into bins once for all that is tried on it."""

    def __init__(self, known: Sample, later: Sample, seed: int) -> None:
        self.lgb, self.later = library(), later
        # Columns that a larger leaf could not split on must stay for those who try a smaller one.
        self.settings = {**FIXED, "seed": seed, "feature_pre_filter": False, "max_bin": Parameters().max_bin}
        self.data = self._set(known)
        self.held = self._set(later, reference=self.data)

    def worth(self, candidate: Parameters) -> tuple[float, int]:
        """The average precision on the later rows, with as many trees as these want, and how many."""
        grown = asdict(candidate)
        trees, patience = grown.pop("trees"), grown.pop("patience")
        stop = self.lgb.early_stopping(patience, verbose=False)
        booster = self.lgb.train(
            {**self.settings, **grown}, self.data, trees, valid_sets=[self.held], callbacks=[stop]
        )
        scores = booster.predict(self.later.x, raw_score=True, num_threads=1)
        return average_precision(self.later.y, scores, self.later.weights), booster.best_iteration

    def _set(self, rows: Sample, **more: Any) -> Any:
        return self.lgb.Dataset(
            rows.x, rows.y.astype(np.float64), weight=rows.weights, params=self.settings, free_raw_data=False,
            **more,
        )  # fmt: skip


def _candidates(seed: int, tries: int) -> list[Parameters]:
    """The defaults, then others of the grid in an order that the seed gives."""
    grid = [dict(zip(_GRID, values, strict=True)) for values in product(*_GRID.values())]
    order = np.random.default_rng(seed).permutation(len(grid))
    drawn = (_parameters(grid[at]) for at in order)
    first = _parameters({})
    return [first, *(each for each in drawn if each != first)][:tries]


def _parameters(chosen: dict[str, Any]) -> Parameters:
    """These settings; of large trees fewer, as what they say is to be worked out for every transaction."""
    found = replace(Parameters(), **chosen)
    return replace(found, trees=200 if found.num_leaves > _LARGE else MOST_TREES)


def sampled(x: Array, y: Array, rows: Array, seed: int) -> Sample:
    """All frauds of the rows, and at most MOST_ROWS of the others."""
    legitimate, frauds = rows[~y[rows]], rows[y[rows]]
    weight = 1.0
    if len(legitimate) > MOST_ROWS:
        weight = len(legitimate) / MOST_ROWS
        legitimate = np.random.default_rng(seed).choice(legitimate, MOST_ROWS, replace=False)
    kept = np.sort(np.concatenate([legitimate, frauds]))
    return Sample(x=x[kept], y=y[kept], weights=np.where(y[kept], 1.0, weight))


def _told(
    candidates: Sequence[Parameters], means: Array, samples: Sequence[tuple[Sample, ...]]
) -> dict[str, Any]:
    """What was tried and what came of it, the best first."""
    order = np.argsort(-means, kind="stable")
    return {
        "tried": len(candidates),
        "windows": len(samples),
        "sampled": any(bool((each.weights > 1).any()) for sample in samples for each in sample),
        "most_legitimate_rows": MOST_ROWS,
        "best": [
            {
                "average_precision": round(float(means[at]), 6),
                **{name: getattr(candidates[at], name) for name in _GRID},
            }
            for at in order[:_SHOWN]
        ],
    }
