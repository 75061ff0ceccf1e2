"""How sure the measures of a ranking are: cards are drawn again, all transactions of a card together.

Transactions of one card are not independent of each other: drawn one by one, the intervals would be too
narrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shroff.core.backtest import Estimate
from shroff.core.compiled import Array

MEASURES = ("average_precision", "roc_auc", "recall_at_1_percent_false_positives", "brier_score")

DRAWS = 300
_SHARE = 0.01


def estimates(
    fraud: Array, scores: Array, cards: Array, *, seed: int, draws: int = DRAWS
) -> dict[str, Estimate]:
    """MEASURES with 95 % bootstrap intervals over cards; None where one cannot be told.

    `fraud` is [n] bool, `scores` [n] probabilities, `cards` [n] int. With fewer than two cards that had a
    fraud there is no interval.
    """
    ranked = _Ranked(fraud, scores)
    whole = ranked.measures(np.ones(len(fraud)))
    defrauded = len(np.unique(cards[fraud]))
    drawn = [ranked.measures(weights[ranked.order]) for weights in _draws(cards, seed, draws)]
    table = np.array(drawn).reshape(len(drawn), len(MEASURES))
    return {
        name: _estimate(whole[at], table[:, at] if defrauded > 1 else np.empty(0))
        for at, name in enumerate(MEASURES)
    }


def _draws(cards: Array, seed: int, draws: int) -> Iterator[Array]:
    """How often each row is drawn, [n], so many times."""
    names, at = np.unique(cards, return_inverse=True)
    dice = np.random.default_rng(seed)
    for _ in range(draws):
        times = np.bincount(dice.integers(0, len(names), len(names)), minlength=len(names))
        yield times[at].astype(np.float64)


class _Ranked:
    """Rows in the order of their scores, so that only the weights change from draw to draw."""

    def __init__(self, fraud: Array, scores: Array) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ranked = scores[self.order]
        self.hits = fraud[self.order].astype(np.float64)
        self.last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)[: len(ranked)]
        self.squares = (ranked - self.hits) ** 2

    def measures(self, weights: Array) -> tuple[float, ...]:
        """MEASURES of the rows with weights [n], in the order of the ranking."""
        true = np.cumsum(self.hits * weights)[self.last]
        above = np.cumsum(weights)[self.last]
        false = above - true
        if not len(true) or true[-1] == 0 or false[-1] == 0:
            return (np.nan,) * len(MEASURES)
        gained = np.diff(true, prepend=0.0)
        precision = np.divide(true, above, out=np.zeros(len(true)), where=above > 0)
        area = np.sum(np.diff(false, prepend=0.0) * (true - gained / 2))
        allowed = int(np.searchsorted(false, _SHARE * false[-1], side="right"))
        return (
            float(np.sum(gained * precision) / true[-1]),
            float(area / true[-1] / false[-1]),
            float(true[allowed - 1] / true[-1]) if allowed else 0.0,
            float(np.sum(self.squares * weights) / above[-1]),
        )


def _estimate(value: float, drawn: Array) -> Estimate:
    if np.isnan(value):
        return Estimate(None)
    told = drawn[~np.isnan(drawn)]
    if not len(told):
        return Estimate(round(value, 6))
    low, high = np.quantile(told, [0.025, 0.975]).tolist()
    return Estimate(round(value, 6), round(low, 6), round(high, 6))
