"""The holdout: one split, whose test labels nothing learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from shroff.core.compiled import Array
from shroff.core.errors import Rejected
from shroff.flows.evaluate import History, Holdout, Score, Tune, Tuned, hold_out
from shroff.flows.evaluate.holdout import Show, Windows, macro_f1
from shroff.flows.evaluate.splits import in_turn, stratified
from shroff.flows.evaluate.timeline import Measure
from tests.card.made import silent
from tests.flows.evaluated import POLICY, by_frauds_of_merchant, history, rows
from tests.flows.test_clean_room import learning_at_once, seeing_the_next

PLAN = Holdout(test_share=0.25, delay_days=1)


@pytest.mark.parametrize("state", [None, 2])
def test_labels_of_the_test_change_no_score(state: int | None) -> None:
    plan = Holdout(test_share=0.25, delay_days=0, random_state=state)
    found = history()
    training = plan.training(found)
    honest = seen(plan, found)
    # Pairs of test rows exchange their labels: the split stays as it is, stratified or not.
    tested = np.flatnonzero(~training)
    found.fraud[tested] = np.roll(found.fraud[tested], 7)
    exchanged = seen(plan, found, training)
    for before, after in zip(honest, exchanged, strict=True):
        np.testing.assert_array_equal(before, after)


def seen(plan: Holdout, found: History, training: Array | None = None) -> list[Array]:
    """All columns that a model is trained on or scores."""
    met: list[Array] = []

    def train(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        met.append(columns)
        score = by_frauds_of_merchant(columns, fraud, names)

        def scored(rows: Array) -> Array:
            met.append(rows)
            return score(rows)

        return scored

    class Fixed(Holdout):
        def training(self, history: History) -> Array:
            return super().training(history) if training is None else training

    hold_out(found, POLICY, Fixed(**vars(plan)), train=train, track=silent)
    return met


@pytest.mark.parametrize("measure", [seeing_the_next, learning_at_once])
def test_a_leak_is_refused_as_it_is_fold_after_fold(measure: Measure) -> None:
    with pytest.raises(Rejected, match="it sees the future, or a label before it is known"):
        hold_out(history(), POLICY, PLAN, train=by_frauds_of_merchant, track=silent, measure=measure)


@pytest.mark.parametrize("many", range(2, 12))
def test_a_file_of_a_few_rows_is_refused_in_a_sentence(many: int) -> None:
    few = history([row | {"label": at % 2} for at, row in enumerate(rows()[:many])])
    with pytest.raises(Rejected, match="part has"):
        hold_out(
            few, POLICY, Holdout(test_share=0.25, delay_days=0), train=by_frauds_of_merchant, track=silent
        )


def test_unlabelled_rows_are_not_tested_and_the_newest_are() -> None:
    found = history([row | {"label": 2} if at % 5 == 0 else row for at, row in enumerate(rows())])
    fold = hold_out(found, POLICY, PLAN, train=by_frauds_of_merchant, track=silent)["folds"][0]
    newest = np.arange(len(found)) >= len(found) * 3 // 4
    assert fold["test_rows"] == np.count_nonzero(newest & found.labelled)
    assert 0 < fold["macro_f1"] <= 1
    begins = found.batch.occurred_at[newest][0]
    known = ~newest & found.labelled & (found.batch.occurred_at + 86_400_000 <= begins)
    assert fold["train_rows"] == np.count_nonzero(known)


def test_the_random_split_is_that_of_scikit_learn() -> None:
    """Recorded from train_test_split(stratify=…, shuffle=True)."""
    at = np.arange(30)
    assert stratified(at % 3 * (at % 2), 6, 2)[1].tolist() == [22, 19, 23, 12, 28, 20]
    assert stratified(np.arange(23) % 5 // 2, 14, 5)[0].tolist() == [21, 10, 14, 8, 5, 7, 18, 19, 11]


def test_a_share_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(Rejected, match="--test-share must be above 0 and below 1"):
        Holdout(test_share=1.0).check()


def test_macro_f1_counts_both_kinds_alike() -> None:
    fraud = np.array([True, True, False, False])
    assert macro_f1(fraud, fraud) == 1.0
    assert macro_f1(fraud, np.array([True, False, False, False])) == pytest.approx((2 / 3 + 4 / 5) / 2)


@pytest.mark.parametrize("state", [None, 2])
def test_settings_are_chosen_within_training_rows_whose_labels_were_known(state: int | None) -> None:
    plan, found = Holdout(test_share=0.25, delay_days=2, random_state=state), history(rows(60))
    training = plan.training(found)
    asked: list[tuple[Array, Array]] = []

    def choose(columns: Array, fraud: Array, windows: Windows, /, show: Show) -> Tuned:
        asked.extend(windows)
        return Tuned(train=by_frauds_of_merchant, told={"tried": 3})

    def never(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        raise AssertionError("what was chosen trains")

    tune = Tune(choose=choose, tries=3)
    fold = hold_out(found, POLICY, plan, train=never, track=silent, tune=tune)["folds"][0]
    assert fold["search"] == {"tried": 3}
    assert len(asked) == 2
    when = found.batch.occurred_at
    for earlier, later in asked:
        assert training[earlier].all()
        assert training[later].all()
        assert not np.isin(earlier, later).any()
        if state is None:
            assert when[earlier].max() + 2 * 86_400_000 <= when[later].min()
    assert not np.isin(asked[0][1], asked[1][1]).any()


def test_nothing_is_chosen_where_frauds_are_too_few() -> None:
    def choose(columns: Array, fraud: Array, windows: Windows, /, show: Show) -> Tuned:
        raise AssertionError("by so few nothing can be chosen")

    few = [row | {"label": bool(row["label"]) and at % 4 == 0} for at, row in enumerate(rows())]
    tune = Tune(choose=choose, tries=3)
    fold = hold_out(history(few), POLICY, PLAN, train=by_frauds_of_merchant, track=silent, tune=tune)
    assert "search" not in fold["folds"][0]


def test_parts_have_their_share_of_frauds() -> None:
    fraud = np.arange(100) % 10 == 3
    part = in_turn(fraud, 5, 2)
    assert np.bincount(part).tolist() == [20] * 5
    assert np.bincount(part[fraud]).tolist() == [2] * 5
