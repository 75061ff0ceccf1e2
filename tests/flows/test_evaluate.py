"""The prequential protocol: what is trained on, what is tested, what is known when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.compiled import Array
from shroff.core.errors import Rejected
from shroff.core.metrics import average_precision
from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import Protocol, Score, evaluate, label_of
from shroff.flows.evaluate.columns import names_of
from shroff.flows.evaluate.measures import remaining
from shroff.flows.evaluate.prequential import cards_of
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.review import Review
from shroff.flows.evaluate.timeline import Timeline, interleaved, maturing, span
from shroff.runtimes.wiring import default_policy
from tests.flows.evaluated import POLICY, PROTOCOL, START, Table, by_frauds_of_merchant, history, quiet, rows


def test_folds_follow_each_other_where_the_test_moves_on() -> None:
    first, second = PROTOCOL.rounds
    assert (first.train_from, first.train_to, first.test_from, first.test_to) == tuple(
        START + day * DAY for day in (0, 7, 10, 14)
    )
    assert second.window_from == START + 4 * DAY
    assert second.test_from == first.test_to
    assert PROTOCOL.until == START + 18 * DAY


def test_history_lets_training_reach_back_unless_it_is_for_features_alone() -> None:
    longer = replace(PROTOCOL, start=START + 4 * DAY, history_from=START)
    assert [fold.train_from for fold in longer.rounds] == [START, START]
    assert longer.rounds[0].window_from == START + 4 * DAY
    features_alone = replace(longer, train_on_history=False)
    assert features_alone.rounds[0].train_from == START + 4 * DAY
    assert features_alone.since == START


def test_a_protocol_that_makes_no_sense_is_refused_with_all_its_faults() -> None:
    with pytest.raises(Rejected) as refused:
        Protocol(start=START, train_days=0, folds=0, history_from=START + 1).check()
    assert [fault.field for fault in refused.value.faults] == ["train_days", "folds", "history_from"]


def test_an_evaluation_is_json_with_folds_and_their_mean() -> None:
    found = json.loads(
        json.dumps(evaluate(history(), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet))
    )
    assert list(found) == ["folds", "mean"]
    assert len(found["folds"]) == 2
    for name, mean in found["mean"].items():
        assert mean == pytest.approx(np.mean([fold[name] for fold in found["folds"]]), abs=1e-6)
    assert found["mean"]["average_precision"] > 0.3
    assert found["folds"][0]["train_frauds"] > 0


def test_a_model_is_trained_on_its_days_alone_and_on_labels_known_by_then() -> None:
    told: list[tuple[int, int]] = []

    def train(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        assert tuple(names) == names_of(POLICY)
        told.append((len(columns), int(fraud.sum())))
        return by_frauds_of_merchant(columns, fraud, names)

    found = history()
    evaluate(found, POLICY, PROTOCOL, train=train, show=quiet)
    expected = [span(found, fold.train_from, fold.train_to) for fold in PROTOCOL.rounds]
    assert told == [(s.stop - s.start, int(found.fraud[s].sum())) for s in expected]


def test_cards_with_a_fraud_known_when_the_day_begins_are_left_out() -> None:
    found = history()
    cards, known_at = cards_of(found, POLICY, None), maturing(found, PROTOCOL.delay)
    fold = PROTOCOL.rounds[0]
    kept = set(remaining(found, cards, fold, known_at).tolist())
    when = found.batch.occurred_at
    for row in range(*span(found, fold.test_from, fold.test_to).indices(len(found))):
        day = when[row] // DAY * DAY
        known = found.fraud & (when >= fold.window_from) & (when + PROTOCOL.delay <= day)
        assert (row in kept) == (cards[row] not in cards[known])


def test_what_nobody_labelled_is_neither_trained_on_nor_tested() -> None:
    some = [row | {"label": 2} if at % 5 == 0 else row for at, row in enumerate(rows())]
    found = history(some)
    result = evaluate(found, POLICY, PROTOCOL, train=None, show=quiet)["folds"][0]
    fold = PROTOCOL.rounds[0]
    assert result["train_rows"] == int(found.labelled[span(found, fold.train_from, fold.train_to)].sum())
    kept = remaining(found, cards_of(found, POLICY, None), fold, maturing(found, PROTOCOL.delay))
    assert found.labelled[kept].all()


@given(st.integers(0, 5 * DAY))
def test_a_label_is_learned_when_it_is_known_and_never_by_its_own_transaction(delay: int) -> None:
    found = history(rows(days=4))
    every = np.arange(len(found))
    labelled, before = interleaved(found, every, maturing(found, delay), slice(0, len(found)))
    when = found.batch.occurred_at
    for row, place, known in zip(every, before, labelled.known_at, strict=True):
        assert place > row
        assert (when[place:] >= known).all() or place == row + 1
        assert place == row + 1 or (when[row + 1 : place] < known).all() or place == before[row - 1]


def test_days_one_by_one_measure_what_one_pass_measures() -> None:
    found = history()
    known_at = maturing(found, PROTOCOL.delay)
    labelled, before = interleaved(found, np.arange(len(found)), known_at, slice(0, len(found)))
    whole = observe(POLICY.empty_state(), found.batch, labelled, before)
    line = Timeline(policy=POLICY, history=found, measure=observe, known_at=known_at)
    days = range(START, START + 24 * DAY, DAY)
    daily = np.vstack([line.live(span(found, day, day + DAY), day + DAY) for day in days])
    np.testing.assert_array_equal(daily, whole)


def test_a_review_gives_labels_early_and_leaves_the_tested_rows_alone() -> None:
    plain = evaluate(history(), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet)
    looked = evaluate(
        history(), POLICY, replace(PROTOCOL, review_capacity=30), train=by_frauds_of_merchant, show=quiet
    )
    for before, after in zip(plain["folds"], looked["folds"], strict=True):
        assert after["labels_by_review"] > 0
        assert after["test_rows"] == before["test_rows"]
    assert looked["mean"]["average_precision"] != plain["mean"]["average_precision"]
    assert "unreviewed_average_precision" in looked["mean"]


def test_a_review_looks_at_no_more_cards_than_it_can_and_never_at_one_in_vain() -> None:
    found = history()
    cards = cards_of(found, POLICY, None)
    protocol = replace(PROTOCOL, review_capacity=5)
    review = Review.of(protocol, found, POLICY, cards)
    known_at = maturing(found, protocol.delay)
    for day in range(protocol.start, protocol.until, DAY):
        before = known_at.copy()
        gave = review.look(day, np.full(len(found), 0.5), known_at)
        changed = known_at != before
        assert gave == np.count_nonzero(changed) > 0
        assert len(np.unique(cards[changed])) == 5
        assert (known_at[changed] < before[changed]).all()
        assert (known_at[changed] >= day + DAY).all()


def test_rules_alone_need_no_model() -> None:
    found = history()
    mean = evaluate(found, POLICY, PROTOCOL, train=None, show=quiet)["mean"]
    assert mean["average_precision"] > average_precision(found.fraud, np.zeros(len(found)))


def test_rows_are_sorted_by_time_and_bad_ones_counted() -> None:
    found = history([*reversed(rows(days=9)), {"transaction_id": "bad", "amount": 1}])
    assert (np.diff(found.batch.occurred_at) >= 0).all()
    assert (len(found), found.rejected) == (360, 1)


@pytest.mark.parametrize("label", ["yes", None, 2])
def test_labels_that_say_nothing_are_told(label: object) -> None:
    with pytest.raises(Rejected, match="no row of these days is a fraud by its label"):
        history([row | {"label": label} for row in rows(days=1)])


def test_days_without_transactions_are_told() -> None:
    with pytest.raises(Rejected, match=r"fold 1 has no fraud known .* the file is read from 2023-11"):
        evaluate(
            history(),
            POLICY,
            replace(PROTOCOL, start=START + 90 * DAY),
            train=by_frauds_of_merchant,
            show=quiet,
        )


def test_an_entity_that_the_policy_has_not_is_told() -> None:
    with pytest.raises(Rejected, match='"card" is no entity of the policy; it has customer, merchant'):
        evaluate(history(), POLICY, replace(PROTOCOL, by="card"), train=None, show=quiet)


def test_the_label_must_be_named_and_be_nothing_else() -> None:
    assert label_of({"label": "FRAUD", "amount": "AMOUNT"}) == "FRAUD"
    with pytest.raises(Rejected, match="--map label=COLUMN"):
        label_of({"amount": "AMOUNT"})
    with pytest.raises(Rejected, match="column FRAUD is the label: it cannot be channel too"):
        label_of({"label": "FRAUD", "channel": "FRAUD"})


def test_a_table_of_nothing_has_no_label() -> None:
    with pytest.raises(Rejected):
        history(Table([]).rows)


def test_the_default_policy_learns_labels_and_its_rules_alone_can_be_evaluated() -> None:
    policy = read_policy(default_policy())
    assert policy.rules
    assert any(layout.learns for layout in policy.layouts)
    plan = replace(PROTOCOL, history_from=START, start=START + 4 * DAY, folds=1)
    assert evaluate(history(), policy, plan, train=None, show=quiet)["folds"][0]["test_rows"] > 0
