"""Intervals: the same from the same seed, about what the measures say, and true as often as they claim."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from shroff.core.compiled import Array
from shroff.core.intervals import MEASURES, estimates
from shroff.core.metrics import average_precision, brier, recall_at, roc_auc

AUC = 0.5 * (1 + math.erf(1.5 / 2))
"""How often one of N(1.5, 1) is above one of N(0, 1)."""


def sample(seed: int, rows: int = 600, cards: int = 150) -> tuple[Array, Array, Array]:
    """Scores of which the AUC is known; whole cards are better or worse, so that their rows go together."""
    dice = np.random.default_rng(seed)
    card = dice.integers(0, cards, rows)
    fraud = dice.random(rows) < 0.15
    shift = dice.normal(size=cards) * math.sqrt(0.5)
    raw = shift[card] + dice.normal(size=rows) * math.sqrt(0.5) + 1.5 * fraud
    return fraud, 1 / (1 + np.exp(-raw)), card


def test_the_values_are_those_of_the_measures() -> None:
    fraud, scores, cards = sample(1)
    scores = np.round(scores, 1)
    measures: tuple[Callable[[Array, Array], float], ...] = (average_precision, roc_auc, recall_at, brier)
    found = estimates(fraud, scores, cards, seed=3, draws=5)
    for name, measure in zip(MEASURES, measures, strict=True):
        assert found[name].value == pytest.approx(measure(fraud, scores), abs=1e-6)


def test_the_interval_of_an_auc_that_is_known_covers_it_as_often_as_it_says() -> None:
    found = [estimates(*sample(seed), seed=seed, draws=150)["roc_auc"] for seed in range(80)]
    covered = [(each.low or 0) <= AUC <= (each.high or 0) for each in found]
    # Of 80 intervals at 95 %, 70 or fewer would be right once in a few thousand times.
    assert sum(covered) > 70


def test_rows_that_go_together_make_the_interval_wider() -> None:
    fraud, scores, _ = sample(2)
    one = np.repeat(np.arange(len(fraud)), 6)
    apart = estimates(fraud[one], scores[one], np.arange(len(one)), seed=1)["roc_auc"]
    together = estimates(fraud[one], scores[one], one, seed=1)["roc_auc"]
    assert apart.value == together.value
    assert (together.high or 0) - (together.low or 0) > 2 * ((apart.high or 0) - (apart.low or 0))


def test_the_same_seed_gives_the_same_interval() -> None:
    assert estimates(*sample(4), seed=5) == estimates(*sample(4), seed=5)
    assert estimates(*sample(4), seed=5) != estimates(*sample(4), seed=6)


def test_where_nothing_can_be_told_nothing_is() -> None:
    _, scores, cards = sample(5, rows=20)
    nothing = estimates(np.zeros(20, bool), scores, cards, seed=1)["roc_auc"]
    assert (nothing.value, nothing.low) == (None, None)
    one = np.arange(20) == 3
    assert estimates(one, scores, cards, seed=1)["average_precision"].low is None
