"""Curves of a card: how well scores are calibrated, and what precision is to be had at what recall."""

from __future__ import annotations

from typing import Any

import numpy as np

from shroff.core.backtest import wilson
from shroff.core.compiled import Array
from shroff.core.metrics import precision_recall

EDGES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8)
"""Where the bins of scores begin: frauds are few, so most scores are small."""

POINTS = 100


def calibration(fraud: Array, scores: Array) -> list[dict[str, Any]]:
    """By bin of the score: how many, what was predicted on average, and what came true; no empty bins."""
    found = []
    at = np.searchsorted(EDGES, scores, side="right") - 1
    for number, low in enumerate(EDGES):
        mine = at == number
        count, hits = int(np.count_nonzero(mine)), int(np.count_nonzero(fraud[mine]))
        if not count:
            continue
        observed = wilson(hits, count)
        found.append(
            {
                "from": low,
                "to": EDGES[number + 1] if number + 1 < len(EDGES) else 1.0,
                "transactions": count,
                "frauds": hits,
                "predicted": round(float(scores[mine].mean()), 6),
                "observed": observed.value,
                "observed_low": observed.low,
                "observed_high": observed.high,
            }
        )
    return found


def precisions(fraud: Array, scores: Array) -> list[dict[str, float]]:
    """Threshold, precision and recall at each hundredth of recall, where it is first reached."""
    thresholds, precision, recall = precision_recall(fraud, scores)
    if not len(recall) or np.isnan(recall[0]):
        return []
    wanted = np.arange(1, POINTS + 1) / POINTS
    places = np.unique(np.searchsorted(recall, wanted - 1e-12))
    return [
        {
            "threshold": float(thresholds[at]),
            "precision": round(float(precision[at]), 6),
            "recall": round(float(recall[at]), 6),
        }
        for at in places.tolist()
        if at < len(recall)
    ]
