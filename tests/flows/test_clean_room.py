"""The clean room: leaks are planted, and must be excluded or caught."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.errors import Rejected
from shroff.core.labels import Labelled
from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.core.state import State
from shroff.flows.evaluate import Score, evaluate
from shroff.flows.evaluate.clean_room import check_alone
from shroff.flows.evaluate.columns import names_of
from tests.flows.evaluated import POLICY, PROTOCOL, by_frauds_of_merchant, history, quiet, rows

AMOUNT_MEAN = POLICY.feature_names.index("customer.amount_mean_7d")
FRAUD_COUNT = POLICY.feature_names.index("merchant.fraud_count_30d")


def seeing_the_next(state: State, batch: Batch, labelled: Labelled | None, before: Array | None) -> Array:
    """A feature that holds the amount of the transaction after this one."""
    found = observe(state, batch, labelled, before)
    found[:, AMOUNT_MEAN] = np.append(batch.amount_minor[1:], 0)
    return found


def learning_at_once(state: State, batch: Batch, labelled: Labelled | None, before: Array | None) -> Array:
    """All labels of a day are learned when it begins, and not when they become known."""
    return observe(state, batch, labelled, None if before is None else np.zeros_like(before))


def test_a_feature_that_sees_the_future_is_caught_by_name() -> None:
    with pytest.raises(Rejected, match=r"customer\.amount_mean_7d of t\d+ .* it sees the future"):
        evaluate(
            history(), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet, measure=seeing_the_next
        )


def test_a_label_that_is_learned_before_it_is_known_is_caught() -> None:
    with pytest.raises(Rejected, match=r"merchant\.\w+ of t\d+ .* or a label before it is known"):
        evaluate(
            history(), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet, measure=learning_at_once
        )


def test_what_is_honest_passes_even_where_labels_are_known_at_once() -> None:
    for delay in (0, 1, 3):
        plan = PROTOCOL.__class__(start=PROTOCOL.start, delay_days=delay, test_days=4, folds=2)
        assert evaluate(history(), POLICY, plan, train=by_frauds_of_merchant, show=quiet)["folds"]


def test_the_label_is_no_column_of_any_model_and_no_attribute() -> None:
    asked: list[tuple[str, ...]] = []

    def train(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        asked.append(tuple(names))
        return by_frauds_of_merchant(columns, fraud, names)

    found = history()
    evaluate(found, POLICY, PROTOCOL, train=train, show=quiet)
    assert set(asked) == {names_of(POLICY)}
    assert "label" not in asked[0]
    assert all(attributes is None for attributes in found.batch.attributes)


def test_a_copy_of_the_label_under_another_name_changes_nothing_where_it_is_an_attribute() -> None:
    leaking = [row | {"scenario": row["label"]} for row in rows()]
    found = evaluate(history(leaking), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet)
    assert found == evaluate(history(), POLICY, PROTOCOL, train=by_frauds_of_merchant, show=quiet)


def test_a_copy_of_the_label_that_features_are_made_of_is_caught() -> None:
    document = POLICY.document.replace('merchant = "merchant"', 'merchant = "merchant"\nchannel = "channel"')
    document = document.replace("[features]", '[features]\nchannel = ["fraud_rate_30d"]')
    leaking = [row | {"channel": "x" if row["label"] else "y"} for row in rows(days=40)]
    plan = PROTOCOL.__class__(start=PROTOCOL.start, train_days=20, delay_days=0, test_days=4, folds=1)
    with pytest.raises(Rejected, match=r"channel\.fraud_rate_30d alone finds frauds .* it is a label"):
        evaluate(history(leaking), read_policy(document), plan, train=by_frauds_of_merchant, show=quiet)


def test_a_column_that_tells_the_frauds_alone_is_caught_whichever_way_it_points() -> None:
    fraud = np.arange(100) < 25
    chance = np.random.default_rng(3).random(100)
    check_alone(["honest"], chance[:, None], fraud)
    missing_if_honest = np.where(fraud, 1.0, np.nan)
    for leak in (fraud.astype(float), -fraud.astype(float), missing_if_honest):
        with pytest.raises(Rejected, match=r"^leak alone finds frauds at an average precision of 1\.000"):
            check_alone(["honest", "leak"], np.column_stack([chance, leak]), fraud)


def test_of_a_handful_of_frauds_nothing_is_concluded() -> None:
    fraud = np.arange(100) < 5
    check_alone(["telling"], fraud.astype(float)[:, None], fraud)
