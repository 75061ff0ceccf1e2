"""Measures of a ranking: equal to scikit-learn's where it has them, and what they mean where it has not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shroff.core.compiled import Array
from shroff.core.metrics import (
    average_precision,
    brier,
    card_precision_at_k,
    precision_recall,
    recall_at,
    roc_auc,
    threshold_at,
    value_detection_rate,
)

# Few different scores, so that many are equal.
ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 12).map(lambda n: n / 12)), min_size=2, max_size=80)


def columns(rows: list[tuple[bool, float]]) -> tuple[Array, Array]:
    """Labels and scores, of both kinds."""
    fraud = np.array([row[0] for row in rows])
    assume(fraud.any() and not fraud.all())
    return fraud, np.array([row[1] for row in rows])


@given(ROWS)
def test_what_scikit_learn_has_comes_out_the_same(rows: list[tuple[bool, float]]) -> None:
    theirs = pytest.importorskip("sklearn.metrics", reason="the train extra is not installed")
    fraud, scores = columns(rows)
    assert average_precision(fraud, scores) == pytest.approx(theirs.average_precision_score(fraud, scores))
    assert roc_auc(fraud, scores) == pytest.approx(theirs.roc_auc_score(fraud, scores))
    assert brier(fraud, scores) == pytest.approx(theirs.brier_score_loss(fraud, scores))


@given(ROWS, st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]))
def test_recall_is_the_highest_that_the_false_positives_allow(
    rows: list[tuple[bool, float]], rate: float
) -> None:
    theirs = pytest.importorskip("sklearn.metrics", reason="the train extra is not installed")
    fraud, scores = columns(rows)
    false, true, _ = theirs.roc_curve(fraud, scores, drop_intermediate=False)
    assert recall_at(fraud, scores, rate) == pytest.approx(true[false <= rate].max())


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows: list[tuple[bool, float]], chance: object) -> None:
    fraud, scores = columns(rows)
    order = list(range(len(rows)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    measures: tuple[Callable[[Array, Array], float], ...] = (average_precision, roc_auc, recall_at)
    for measure in measures:
        assert measure(fraud[order], scores[order]) == pytest.approx(measure(fraud, scores))


@given(ROWS, st.randoms(use_true_random=False))
def test_a_row_that_stands_for_several_counts_as_they_would(
    rows: list[tuple[bool, float]], chance: object
) -> None:
    fraud, scores = columns(rows)
    times = np.array([chance.randrange(1, 4) for _ in rows])  # type: ignore[attr-defined]
    weighted = average_precision(fraud, scores, times.astype(float))
    assert weighted == pytest.approx(average_precision(np.repeat(fraud, times), np.repeat(scores, times)))


@given(ROWS)
def test_precision_and_recall_at_a_score_are_of_what_is_at_or_above_it(
    rows: list[tuple[bool, float]],
) -> None:
    fraud, scores = columns(rows)
    for score, precision, recall in zip(*precision_recall(fraud, scores), strict=True):
        above = scores >= score
        assert precision == pytest.approx(fraud[above].mean())
        assert recall == pytest.approx(fraud[above].sum() / fraud.sum())


def test_the_value_found_is_that_of_the_frauds_above_the_threshold() -> None:
    fraud = np.array([True, False, True, False])
    scores, values = np.array([0.9, 0.8, 0.3, 0.1]), np.array([30.0, 500.0, 10.0, 500.0])
    assert threshold_at(fraud, scores, 0.0) == 0.9
    assert value_detection_rate(fraud, scores, values, 0.0) == 0.75
    assert value_detection_rate(fraud, scores, values, 0.5) == 1.0
    assert recall_at(fraud, scores, 0.0) == 0.5


def test_an_amount_without_a_rate_counts_as_nothing() -> None:
    fraud, scores = np.array([True, True, False]), np.array([0.2, 0.9, 0.5])
    assert value_detection_rate(fraud, scores, np.array([np.nan, 5.0, 1.0]), 0.0) == 1.0


def test_nothing_may_be_flagged_where_the_highest_score_is_legitimate() -> None:
    fraud, scores = np.array([False, True]), np.array([0.9, 0.1])
    assert threshold_at(fraud, scores, 0.0) == math.inf
    assert recall_at(fraud, scores, 0.0) == 0.0


def test_a_card_that_was_found_is_left_out_on_the_following_days() -> None:
    # day 0: cards 1 and 2, of which 1 is found; day 1: card 1 would lead again, but is known
    days, cards = np.array([0, 0, 1, 1, 1]), np.array([1, 2, 1, 2, 3])
    fraud, scores = np.array([True, False, True, False, True]), np.array([0.9, 0.1, 0.9, 0.5, 0.4])
    assert card_precision_at_k(days, cards, fraud, scores, 1) == 0.5
    assert card_precision_at_k(days, cards, fraud, scores, 2) == 0.5


def test_a_card_ranks_by_its_highest_score_and_counts_by_any_fraud_of_the_day() -> None:
    days, cards = np.zeros(3, int), np.array([1, 2, 1])
    fraud, scores = np.array([True, False, False]), np.array([0.1, 0.5, 0.9])
    assert card_precision_at_k(days, cards, fraud, scores, 1) == 1.0


def test_what_cannot_be_measured_is_no_number() -> None:
    nothing, legitimate = np.array([], bool), np.array([False, False])
    scores = np.array([0.1, 0.2])
    assert math.isnan(average_precision(nothing, np.array([])))
    assert math.isnan(average_precision(legitimate, scores))
    assert math.isnan(roc_auc(legitimate, scores))
    assert math.isnan(roc_auc(~legitimate, scores))
    assert math.isnan(recall_at(legitimate, scores))
    assert math.isnan(brier(nothing, np.array([])))
    assert math.isnan(card_precision_at_k(nothing, nothing, nothing, np.array([])))
