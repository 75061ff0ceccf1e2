"""Where a model is better and worse: the validation days cut by amount, time, customer, category, country."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from shroff.core.backtest import wilson
from shroff.core.compiled import Array
from shroff.core.metrics import average_precision
from shroff.core.policy import Policy, main_entity
from shroff.flows.card.judged import Judged

NEW = 5
"""A customer is new for so many transactions."""
FEW = 30
"""Frauds below which a slice says little."""
_MOST = 8
_HOURS = ("00:00 to 05:59", "06:00 to 11:59", "12:00 to 17:59", "18:00 to 23:59")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TEXTS = ("merchant_category", "country", "channel")

Slice = tuple[str, Array]
"""What is said of some rows, and which they are [m] bool."""


def slices(judged: Judged, policy: Policy, threshold: float) -> list[dict[str, Any]]:
    """Each kind of slice with its slices, where there are at least two: counts, average precision, recall.

    Recall is of what reaches the threshold, with Wilson's interval.
    """
    return [
        {"by": by, "slices": [_measured(judged, *each, threshold) for each in found]}
        for by, found in _kinds(judged, policy)
        if len(found) > 1
    ]


def _kinds(judged: Judged, policy: Policy) -> Iterator[tuple[str, list[Slice]]]:
    batch, rows = judged.history.batch, judged.rows
    when = batch.occurred_at[rows]
    yield f"amount, {policy.base_currency}", _amounts(judged.values[rows])
    yield "hour of the day, UTC", _named(when // 3_600_000 % 24 // 6, _HOURS)
    yield "weekday", _named((when // 86_400_000 + 3) % 7, _WEEKDAYS)
    if (by := main_entity(policy.entities)) in policy.entities:
        earlier = _earlier(judged.cards)[rows]
        words = (f"its first {NEW} transactions", "known for longer")
        yield by.replace("_", " "), _named((earlier >= NEW).astype(int), words)
    for name in _TEXTS:
        yield name.replace("_", " "), _texts(batch.texts[name][rows])


def _measured(judged: Judged, name: str, mine: Array, threshold: float) -> dict[str, Any]:
    fraud, scores = judged.fraud[mine], judged.scores[mine]
    count, hits = len(fraud), int(np.count_nonzero(fraud))
    caught = wilson(int(np.count_nonzero(fraud & (scores >= threshold))), hits)
    ranked = average_precision(fraud, scores)
    return {
        "name": name,
        "transactions": count,
        "frauds": hits,
        "fraud_rate": round(hits / count, 6),
        "mean_score": round(float(scores.mean()), 6),
        "average_precision": None if np.isnan(ranked) else round(ranked, 6),
        "recall": caught.value,
        "recall_low": caught.low,
        "recall_high": caught.high,
    }


def _named(numbers: Array, names: tuple[str, ...]) -> list[Slice]:
    """Slices by a small number; those without a row are left out."""
    found = ((name, numbers == number) for number, name in enumerate(names))
    return [(name, mine) for name, mine in found if mine.any()]


def _amounts(values: Array) -> list[Slice]:
    """Four bands between round numbers near the quartiles, and one at the top."""
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    near = np.quantile(known, [0.25, 0.5, 0.75, 0.95])
    edges = sorted({float(f"{each:.2g}") for each in near.tolist()})
    at = np.searchsorted(edges, values, side="right")
    shown = [f"{edge:,.10g}" for edge in edges]
    names = [
        f"below {shown[0]}",
        *(f"{low} to below {high}" for low, high in pairwise(shown)),
        f"{shown[-1]} and more",
    ]
    bands = [(name, (at == number) & ~np.isnan(values)) for number, name in enumerate(names)]
    return [(name, mine) for name, mine in [*bands, ("without a rate", np.isnan(values))] if mine.any()]


def _earlier(cards: Array) -> Array:
    """How many earlier transactions of its card each has in history [n]."""
    order = np.argsort(cards, kind="stable")
    ranked = cards[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    sizes = np.diff(np.append(starts, len(ranked)))
    earlier = np.empty(len(cards), np.int64)
    earlier[order] = np.arange(len(cards)) - np.repeat(starts, sizes)
    return earlier


def _texts(values: Array) -> list[Slice]:
    """The most frequent values, and the rest; nothing where none has a value."""
    texts = np.array(["" if value is None else value for value in values], object)
    names, counts = np.unique(texts.astype(str), return_counts=True)
    if not names.any():
        return []
    order = sorted(range(len(names)), key=lambda at: (-counts[at], names[at]))
    chosen = [str(names[at]) for at in order[:_MOST]]
    found: list[Slice] = [(name or "not said", texts == name) for name in chosen]
    others = ~np.isin(texts.astype(str), chosen)
    return [*found, ("all others", others)] if others.any() else found
