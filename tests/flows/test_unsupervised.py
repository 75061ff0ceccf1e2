"""A model of what is usual, trained on history without labels and served like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shroff.core.columns import Batch
from shroff.core.decision import decide, snapshot
from shroff.core.errors import Rejected
from shroff.core.model_document import model_document, read_model
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import History, read_history
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.models import with_models
from shroff.flows.unsupervised import Measured, Show, looked_at, measure, train_unsupervised, worth
from tests.flows.evaluated import START, Table, quiet, rows

TEXT = """
name = "unsupervised"
[entities]
customer = "customer_id"
merchant = "merchant"
[features]
customer = ["count_1h", "count_1d", "amount_sum_1d", "amount_mean_30d", "since_last_1d"]
merchant = ["count_30d", "fraud_count_1d", "since_fraud_30d"]
[[rules]]
name = "dear"
when = "amount > 900"
outcome = "challenge"
score = 0.2
"""
POLICY = read_policy(TEXT)


@contextmanager
def untracked(name: str, total: int, unit: str) -> Iterator[Show]:
    yield quiet


def found(days: int = 60) -> list[dict[str, Any]]:
    """A usual history, and on the last day one who pays ten times as much thirty times over."""
    usual = rows(days)
    last = usual[-1]
    planted = [
        last
        | {"transaction_id": f"p{n}", "timestamp": last["timestamp"] + n, "amount": "1000", "label": True}
        for n in range(30)
    ]
    return [row | {"label": False} for row in usual] + planted


def history(labels: bool = True) -> History:
    shown = found() if labels else [{k: v for k, v in row.items() if k != "label"} for row in found()]
    return read_history(Table(shown), currency="USD", until=START + 400 * DAY, show=quiet, labels=labels)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(history(), POLICY, track=untracked)


def test_the_columns_are_of_the_moment_and_none_is_of_labels() -> None:
    names = [each.name for each in looked_at(POLICY)]
    assert names == [
        "customer.count_1h",
        "customer.count_1d",
        "customer.amount_sum_1d",
        "customer.since_last_1d",
    ]


def test_labels_do_not_change_a_byte_of_the_model_nor_do_they_have_to_be_there(measured: Measured) -> None:
    blind = measure(history(labels=False), POLICY, track=untracked)
    turned = replace(measured, history=replace(measured.history, fraud=~measured.history.fraud))
    documents = {
        model_document(train_unsupervised(each, name="usual", seed=3)) for each in (measured, blind, turned)
    }
    assert len(documents) == 1
    assert model_document(train_unsupervised(measured, name="usual", seed=4)) not in documents


def test_what_was_planted_scores_above_the_bulk_and_adds_to_the_rules(measured: Measured) -> None:
    model = train_unsupervised(measured, name="usual", seed=3)
    told = worth(measured, model)
    assert told["score alone"]["average_precision"] > 0.8
    assert told["rules and score"]["average_precision"] >= told["rules alone"]["average_precision"]
    assert told["rules and score"]["recall_at_1_percent_false_positives"] == 1.0
    assert model.trained["meaning"].startswith("rarity, not a probability of fraud")
    assert "frauds" not in model.trained


def test_it_scores_when_serving_as_it_did_in_training_and_says_why_in_words(measured: Measured) -> None:
    model = read_model(model_document(train_unsupervised(measured, name="usual", seed=3)))
    named = f'{TEXT}\n[model]\nversion = "{model.version}"\n[model.thresholds]\nreview = 0.05\n'
    policy = with_models(read_policy(named), lambda version: model)
    decisions = decided(policy, measured.history.batch)
    at = [measured.names.index(name) for name in model.features]
    trained = np.round(model.score(measured.columns[:, at]), 6)
    served = [np.frombuffer(each.snapshot, "<f8")[-1] for each in decisions][measured.rows]
    assert np.array_equal(trained, served)
    planted = decisions[-1]
    assert planted.outcome == "review"
    (reason,) = [each.reason for each in planted.reasons if each.rule == "model"]
    assert "of this customer in the last hour; usually 0" in reason


def decided(policy: Policy, batch: Batch) -> Any:
    state = policy.empty_state()
    nobody = {name: np.zeros(len(batch), bool) for name in policy.lists}
    return decide(policy, batch, snapshot(observe(state, batch), nobody), 0)


def test_too_short_a_history_and_one_that_never_varies_are_refused() -> None:
    short = read_history(Table(rows(5)), currency="USD", until=START + 400 * DAY, show=quiet, labels=False)
    with pytest.raises(Rejected, match="at least 1000 transactions"):
        measure(short, POLICY, track=untracked)
    with pytest.raises(Rejected, match="no transaction that can be read"):
        read_history(Table([]), currency="USD", until=START, show=quiet, labels=False)
    same = [row | {"amount": "5", "customer_id": f"c{n}"} for n, row in enumerate(found())]
    plain = read_policy(TEXT.replace('merchant = ["count_30d", "fraud_count_1d", "since_fraud_30d"]', ""))
    read = read_history(Table(same), currency="USD", until=START + 400 * DAY, show=quiet)
    with pytest.raises(Rejected, match="nothing is unusual"):
        train_unsupervised(measure(read, plain, track=untracked), name="usual", seed=1)
