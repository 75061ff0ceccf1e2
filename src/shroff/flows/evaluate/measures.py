"""What a fold is worth: the ranking of its test days, without the cards known by then to be compromised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from shroff.core.compiled import Array
from shroff.core.metrics import (
    average_precision,
    brier,
    card_precision_at_k,
    recall_at,
    roc_auc,
    value_detection_rate,
)
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.protocol import DAY, Fold
from shroff.flows.evaluate.timeline import span

K = 100
"""How many cards a day the card precision asks for."""

MEASURES = (
    "average_precision",
    "roc_auc",
    "card_precision_at_100",
    "value_detection_rate",
    "recall_at_1_percent_false_positives",
    "brier_score",
)


def remaining(history: History, cards: Array, fold: Fold, known_at: Array) -> Array:
    """The labelled transactions of the test days whose card is not known to be compromised, as row numbers.

    On each test day those cards are left out of which a fraud since the start of the training window is known
    when the day begins.
    """
    since = span(history, fold.window_from, fold.test_to)
    frauds = since.start + np.flatnonzero(history.fraud[since])
    kept = []
    for day in range(fold.test_from, fold.test_to, DAY):
        rows = span(history, day, day + DAY)
        found = cards[frauds[known_at[frauds] <= day]]
        fresh = ~np.isin(cards[rows], found) & history.labelled[rows]
        kept.append(rows.start + np.flatnonzero(fresh))
    return np.concatenate(kept)


def measured(history: History, cards: Array, values: Array, rows: Array, scores: Array) -> dict[str, float]:
    """The measures of some scored rows; NaN where one cannot be taken."""
    fraud, when = history.fraud[rows], history.batch.occurred_at[rows]
    return dict(
        zip(
            MEASURES,
            (
                average_precision(fraud, scores),
                roc_auc(fraud, scores),
                card_precision_at_k(when // DAY, cards[rows], fraud, scores, K),
                value_detection_rate(fraud, scores, values[rows]),
                recall_at(fraud, scores),
                brier(fraud, scores),
            ),
            strict=True,
        )
    )


def mean_of(folds: Sequence[Mapping[str, object]]) -> dict[str, float | None]:
    """Each measure as a mean over the folds that have it."""
    names = [name for name in folds[0] if name.endswith(MEASURES)]
    return {name: _mean([fold[name] for fold in folds]) for name in names}


def told(measures: Mapping[str, float]) -> dict[str, float | None]:
    """As JSON has them: there is no number for what cannot be measured."""
    return {name: None if math.isnan(value) else round(value, 6) for name, value in measures.items()}


def _mean(values: Sequence[object]) -> float | None:
    numbers = [value for value in values if isinstance(value, float)]
    return round(math.fsum(numbers) / len(numbers), 6) if numbers else None
