"""How good a ranking of transactions is, as the field measures it; accuracy is not among them.

`fraud` is [n] bool, `scores` [n] float, higher is more suspicious; equal scores are one step of the ranking,
never an order. Where a measure needs frauds or legitimate transactions and there are none, it is NaN.

>>> fraud, scores = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.3, 0.1])
>>> round(average_precision(fraud, scores), 4), roc_auc(fraud, scores)
(0.8333, 0.75)
"""

from __future__ import annotations

import math

import numpy as np

from shroff.core.compiled import Array


def average_precision(fraud: Array, scores: Array, weights: Array | None = None) -> float:
    """The precision at each step of the ranking, weighted by the recall that the step adds.

    `weights` [n] says how many transactions each row stands for, where a sample is measured.
    """
    true, false = _steps(fraud, scores, weights)
    if not len(true) or true[-1] == 0:
        return math.nan
    gained = np.diff(true, prepend=0.0) / true[-1]
    return float(np.sum(gained * true / (true + false)))


def roc_auc(fraud: Array, scores: Array) -> float:
    """How often a fraud is ranked above a legitimate transaction; an equal score counts half."""
    true, false = _steps(fraud, scores)
    if not len(true) or true[-1] == 0 or false[-1] == 0:
        return math.nan
    width, before = np.diff(false, prepend=0.0), np.concatenate([[0.0], true[:-1]])
    return float(np.sum(width * (before + true) / 2) / true[-1] / false[-1])


def recall_at(fraud: Array, scores: Array, false_positives: float = 0.01) -> float:
    """The share of frauds found where at most this share of the legitimate is flagged with them."""
    return value_detection_rate(fraud, scores, np.ones(len(scores)), false_positives)


def value_detection_rate(fraud: Array, scores: Array, values: Array, false_positives: float = 0.01) -> float:
    """The share of the frauds' value found where at most this share of the legitimate is flagged with them.

    A fraud whose value is missing counts as nothing.
    """
    known = np.where(np.isnan(values), 0.0, values)
    lost = float(np.sum(known[fraud]))
    if lost == 0 or bool(np.all(fraud)):
        return math.nan
    flagged = scores >= threshold_at(fraud, scores, false_positives)
    return float(np.sum(known[fraud & flagged])) / lost


def threshold_at(fraud: Array, scores: Array, false_positives: float = 0.01) -> float:
    """The least score that may be flagged so that at most this share of the legitimate is; or infinity."""
    _, false = _steps(fraud, scores)
    allowed = int(np.count_nonzero(false <= false_positives * np.count_nonzero(~fraud)))
    return math.inf if allowed == 0 else float(np.unique(scores)[-allowed])


def brier(fraud: Array, scores: Array) -> float:
    """Mean squared distance of the scores from what came true: for scores that are probabilities."""
    return float(np.mean((scores - fraud) ** 2)) if len(scores) else math.nan


def card_precision_at_k(days: Array, cards: Array, fraud: Array, scores: Array, k: int = 100) -> float:
    """The share of truly defrauded cards among the k ranked highest each day, as a mean over the days.

    `days` and `cards` are [n] int. A card ranks by its highest score of the day, equal ones by their number.
    One that was found is known from then on and left out on the following days. It is a share of k even on a
    day on which fewer cards paid.
    """
    found: set[int] = set()
    shares = []
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        names, at = np.unique(cards[rows], return_inverse=True)
        highest, hit = np.full(len(names), -np.inf), np.zeros(len(names), bool)
        np.maximum.at(highest, at, scores[rows])
        np.logical_or.at(hit, at, fraud[rows])
        fresh = np.flatnonzero(~np.isin(names, list(found)))
        top = fresh[np.argsort(-highest[fresh], kind="stable")[:k]]
        shares.append(np.count_nonzero(hit[top]) / k)
        found.update(names[top[hit[top]]].tolist())
    return float(np.mean(shares)) if shares else math.nan


def precision_recall(fraud: Array, scores: Array) -> tuple[Array, Array, Array]:
    """Each different score, the highest first, with precision and recall of what is at or above it: [k] each.

    Without a fraud the recall is NaN.
    """
    true, false = _steps(fraud, scores)
    recall = true / true[-1] if len(true) and true[-1] else np.full(len(true), np.nan)
    return np.unique(scores)[::-1], true / (true + false), recall


def _steps(fraud: Array, scores: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Frauds and legitimate at or above each different score, the highest score first."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], fraud[order].astype(np.float64)
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)[: len(ranked)]
    if weights is None:
        true = np.cumsum(hits)[last]
        return true, last + 1.0 - true
    true = np.cumsum(hits * weights[order])[last]
    return true, np.cumsum(weights[order])[last] - true
