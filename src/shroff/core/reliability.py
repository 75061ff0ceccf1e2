"""What became of scored transactions: how well a model ranked them, and whether its scores came true.

Whole counts only, so that days are added up in any order: scores are millionths, as decisions keep them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shroff.core.backtest import FRAUD, LEGITIMATE, UNKNOWN, wilson
from shroff.core.compiled import Array
from shroff.core.metrics import average_precision

EDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9)
"""Where one band of scores ends and the next begins: most scores are small, and so are the bands there."""
LEAST_FRAUDS = 10
"""Frauds, seen or expected, from which on a calibration is called off: fewer prove little."""
FAR = 1.5
"""How many times too high or too low scores must be, beside being outside of the interval: frauds come in
episodes and so vary more than the interval knows, and over very many transactions any model is a bit off."""

_LABELS = 3
_MILLION = 1_000_000
_FALSE_POSITIVES = 0.01


def bands(scores: Array) -> Array:
    """The band [n] of each score, 0 to len(EDGES)."""
    return np.searchsorted(np.array(EDGES), scores, side="right")


class Judged:
    """One model's scores over transactions, by what is known of these."""

    def __init__(self) -> None:
        self.counts = np.zeros((_LABELS, len(EDGES) + 1), np.int64)
        """[labels, bands] transactions."""
        self.sums = np.zeros((_LABELS, len(EDGES) + 1), np.int64)
        """[labels, bands] scores in millionths."""
        self.stopped = np.zeros(_LABELS, np.int64)
        """[labels] those of which its score led to more than an approval."""
        self._steps: dict[int, list[int]] = {}

    def add(self, scores: Array, labels: Array, stopped: Array) -> None:
        """Count transactions: [n] scores to six decimals, [n] labels as of a backtest, [n] bool."""
        millionths = np.round(scores * _MILLION).astype(np.int64)
        cell = labels * (len(EDGES) + 1) + bands(scores)
        size = self.counts.size
        self.counts += np.bincount(cell, minlength=size).reshape(self.counts.shape)
        # Sums of whole numbers below 2 ** 53 are exact in floats.
        self.sums += np.bincount(cell, millionths, size).astype(np.int64).reshape(self.sums.shape)
        self.stopped += np.bincount(labels[stopped], minlength=_LABELS)
        steps, at = np.unique(_steps_of(scores), return_inverse=True)
        table = np.bincount(at * _LABELS + labels, minlength=len(steps) * _LABELS).reshape(-1, _LABELS)
        for step, row in zip(steps.tolist(), table.tolist(), strict=True):
            into = self._steps.setdefault(step, [0] * _LABELS)
            for label, count in enumerate(row):
                into[label] += count

    def plus(self, other: Judged) -> Judged:
        """Both as one."""
        made = Judged()
        made.counts, made.sums = self.counts + other.counts, self.sums + other.sums
        made.stopped = self.stopped + other.stopped
        for each in (self, other):
            for step, row in each._steps.items():
                into = made._steps.setdefault(step, [0] * _LABELS)
                into[:] = [a + b for a, b in zip(into, row, strict=True)]
        return made

    def members(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "counts": self.counts.tolist(),
            "sums": self.sums.tolist(),
            "stopped": self.stopped.tolist(),
            "steps": [[step, *row] for step, row in sorted(self._steps.items())],
        }

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Judged:
        """What gave these members."""
        made = cls()
        made.counts, made.sums = np.array(members["counts"], np.int64), np.array(members["sums"], np.int64)
        made.stopped = np.array(members["stopped"], np.int64)
        made._steps = {step: row for step, *row in members["steps"]}
        return made

    @property
    def silent(self) -> bool:
        """Whether nothing but fraud was ever told, so that no word means legitimate."""
        return not self.counts[LEGITIMATE].any() and bool(self.counts[FRAUD].any())

    def known(self, kept: Array) -> Array:
        """Of [labels, ...] the legitimate and the frauds [2, ...], as far as something is known of them."""
        legitimate = kept[LEGITIMATE] + (kept[UNKNOWN] if self.silent else 0)
        return np.stack([legitimate, kept[FRAUD]])

    def ranking(self) -> dict[str, Any]:
        """How well it ranked what is known: scores of one 32nd between powers of two are one step of it."""
        steps = sorted(self._steps)
        table = np.array([self._steps[step] for step in steps], np.int64).reshape(-1, _LABELS).T
        legitimate, fraud = self.known(table)
        stopped = self.known(self.stopped)
        if not fraud.sum() or not legitimate.sum():
            return {"average_precision": None, "recall_at_1_percent_false_positives": None,
                    "precision": None, "recall": None}  # fmt: skip
        found = np.repeat([False, True], len(steps))
        ranks = np.tile(np.arange(len(steps), dtype=np.float64), 2)
        weights = np.concatenate([legitimate, fraud]).astype(np.float64)
        some = weights > 0
        return {
            "average_precision": round(average_precision(found[some], ranks[some], weights[some]), 6),
            "recall_at_1_percent_false_positives": _recall(legitimate, fraud),
            "precision": wilson(int(stopped[1]), int(stopped.sum())).value,
            "recall": wilson(int(stopped[1]), int(fraud.sum())).value,
        }

    def calibration(self) -> dict[str, Any]:
        """Scores and what came true, in all and by band; `verdict` is None where they agree, or few say."""
        counts, sums = self.known(self.counts), self.known(self.sums)
        whole = _compared(counts.sum(axis=1), int(sums.sum()))
        edges = (0.0, *EDGES, 1.0)
        banded = [
            {"from": edges[at], "to": edges[at + 1], **_compared(counts[:, at], int(sums[:, at].sum()))}
            for at in range(len(EDGES) + 1) if counts[:, at].any()
        ]  # fmt: skip
        return {**whole, "silence_is_legitimate": self.silent, "verdict": _verdict(whole), "by_score": banded}


def _steps_of(scores: Array) -> Array:
    """The step of the ranking [n] of each score: 32 between a power of two and the next."""
    return np.ascontiguousarray(scores, np.float64).view(np.int64) >> 47


def _recall(legitimate: Array, fraud: Array) -> float:
    """The share of frauds at or above the least step that 1 % of the legitimate reach; both rise by step."""
    false, true = np.cumsum(legitimate[::-1]), np.cumsum(fraud[::-1])
    allowed = np.flatnonzero(false <= _FALSE_POSITIVES * false[-1])
    return round(float(true[allowed[-1]] / true[-1]), 6) if len(allowed) else 0.0


def _compared(counts: Sequence[int] | Array, millionths: int) -> dict[str, Any]:
    """Of [legitimate, fraud] counted and their scores' sum: what was expected, and what came."""
    frauds, n = int(counts[1]), int(counts[0] + counts[1])
    rate = wilson(frauds, n)
    mean = None if not n else round(millionths / n / _MILLION, 6)
    return {
        "transactions": n, "frauds": frauds, "expected": round(millionths / _MILLION, 3),
        "mean_score": mean, "fraud_rate": rate.value, "low": rate.low, "high": rate.high,
    }  # fmt: skip


def _verdict(whole: Mapping[str, Any]) -> str | None:
    """too low or too high: outside of the interval, by far, and with frauds enough to say so."""
    mean, rate = whole["mean_score"], whole["fraud_rate"]
    if mean is None or max(whole["frauds"], whole["expected"]) < LEAST_FRAUDS:
        return None
    if mean < whole["low"] and rate > FAR * mean:
        return "too low"
    return "too high" if mean > whole["high"] and mean > FAR * rate else None


def came_true(whole: Mapping[str, Any]) -> float | None:
    """How many times as many frauds came as the scores said, 1 where they came true; None where few can say.

    >>> came_true({"frauds": 30, "expected": 20.0}), came_true({"frauds": 3, "expected": 2.0})
    (1.5, None)
    """
    if not whole["expected"] or max(whole["frauds"], whole["expected"]) < LEAST_FRAUDS:
        return None
    ratio: float = whole["frauds"] / whole["expected"]
    return round(ratio, 6)
