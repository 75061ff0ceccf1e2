"""Models that a policy names: scores, outcomes, reasons, and what is stored of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.alert import raise_alerts
from shroff.core.columns import Batch
from shroff.core.decision import Decision, decide, snapshot
from shroff.core.errors import Rejected
from shroff.core.observe import observe
from shroff.core.policy import MODEL, SCORE, Policy
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows.models import with_models
from tests.core.models import stump
from tests.core.samples import transaction

MODEL_OF_AMOUNT = stump(
    "amounts", {"amount": (100.0, -2.0, 3.0), "customer.count_1h": (0.0, -1.0, 1.5)}, usual={"amount": 20.0}
)
CHALLENGER = stump("counts", {"customer.count_1h": (1.0, -3.0, 3.0)})
PLAIN = """
[entities]
customer = "customer_id"
[features]
customer = ["count_1h"]
[[rules]]
name = "large"
when = "amount > 500"
outcome = "challenge"
score = 0.5
[thresholds]
decline = 0.98
"""
SCORED = f'''
{PLAIN}
[model]
version = "{MODEL_OF_AMOUNT.version}"
shadow = ["{CHALLENGER.version}"]
[model.thresholds]
review = 0.8
'''


NO_VERSION = "model.version: must be the version of a model, as `shroff model list` shows it"


def policy(document: str = SCORED) -> Policy:
    models = {each.version: each for each in (MODEL_OF_AMOUNT, CHALLENGER)}
    return with_models(read_policy(document), models.__getitem__)


def decided(policy: Policy, transactions: list[Transaction], size: int = 1_000) -> list[Decision]:
    state, found = policy.empty_state(), []
    for at in range(0, len(transactions), size):
        batch = Batch.of(transactions[at : at + size])
        found += decide(policy, batch, snapshot(observe(state, batch), {}), 5)
    return found


def payments(*amounts: int) -> list[Transaction]:
    return [transaction(at, at * 1000, amount * 100, customer_id="ann") for at, amount in enumerate(amounts)]


def sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def test_the_champions_score_joins_the_rules_as_one_more_chance() -> None:
    low, high, ruled = decided(policy(), payments(10, 200, 600))
    assert low.score == pytest.approx(sigmoid(-4.0), abs=1e-6)
    assert high.score == pytest.approx(sigmoid(3.5), abs=1e-6)
    assert ruled.score == pytest.approx(1 - 0.5 * (1 - sigmoid(3.5)), abs=1e-6)
    assert [each.outcome for each in (low, high, ruled)] == ["approve", "review", "decline"]


def test_every_models_score_is_stored_behind_the_features_and_the_challengers_changes_nothing() -> None:
    which = policy()
    alone = read_policy(SCORED.replace(f'shadow = ["{CHALLENGER.version}"]', ""))
    without = with_models(alone, {MODEL_OF_AMOUNT.version: MODEL_OF_AMOUNT}.__getitem__)
    assert which.snapshot_names == (
        "customer.count_1h", f"{MODEL}.{MODEL_OF_AMOUNT.version}", f"{MODEL}.{CHALLENGER.version}",
    )  # fmt: skip
    rows = payments(10, 200, 600)
    both = decided(which, rows)
    stored = np.array([np.frombuffer(each.snapshot, "<f8") for each in both])
    assert stored[:, 1] == pytest.approx([sigmoid(-4.0), sigmoid(3.5), sigmoid(3.5)], abs=1e-6)
    assert stored[:, 2] == pytest.approx([sigmoid(-4.0), sigmoid(-4.0), sigmoid(2.0)], abs=1e-6)
    for one, other in zip(both, decided(without, rows), strict=True):
        assert (one.outcome, one.score, one.reasons) == (other.outcome, other.score, other.reasons)
        assert one.snapshot[:-8] == other.snapshot


def test_a_score_is_explained_in_words_and_its_parts_add_up() -> None:
    _, high, _ = decided(policy(), payments(10, 200, 600))
    [reason] = high.reasons
    assert (reason.rule, reason.outcome) == (MODEL, "review")
    assert reason.reason == (
        "The model scores 0.97: Amount 200; usually 20. 1 transaction of this customer in the last hour"
    )
    values = {name: value for name, value in reason.values.items() if isinstance(value, float)}
    parts = sum(value for name, value in values.items() if name.startswith("log_odds."))
    assert parts == pytest.approx(values["log_odds"], abs=1e-5)
    assert values["log_odds"] == pytest.approx(3.5, abs=1e-5)
    assert (values["amount"], values["customer.count_1h"], values["score"]) == (200.0, 1.0, 0.970688)


def test_what_is_below_the_least_threshold_is_not_explained() -> None:
    low, *_ = decided(policy(), payments(10))
    assert low.reasons == ()
    explained, *_ = decided(policy(SCORED.replace("[model]", "[model]\nreasons_from = 0.001")), payments(10))
    assert [(each.rule, each.outcome) for each in explained.reasons] == [(MODEL, "approve")]


def test_where_the_joined_score_leads_the_reason_says_whose_it_is() -> None:
    *_, last = decided(policy(), payments(10, 200, 600))
    assert [each.rule for each in last.reasons] == ["large", MODEL, SCORE]
    assert last.reasons[-1].reason.startswith("All rules and the model together score 0.99")


def test_an_alert_by_the_model_is_about_the_main_entity() -> None:
    which, rows = policy(), payments(10, 200)
    [alert] = raise_alerts(which, Batch.of(rows), decided(which, rows), 9)
    assert (alert.rule, alert.entity, alert.key, alert.outcome) == (MODEL, "customer", "ann", "review")


def test_without_a_model_nothing_is_stored_or_told_otherwise() -> None:
    plain = read_policy(PLAIN)
    first, *_, last = decided(plain, payments(10, 200, 600))
    assert len(first.snapshot) == 8
    assert first.score == 0.0
    assert [each.rule for each in last.reasons] == ["large"]
    assert plain.version == "443b2cedc9a1067a"


def test_a_policy_that_was_not_given_its_models_decides_nothing() -> None:
    with pytest.raises(LookupError, match=MODEL_OF_AMOUNT.version):
        decided(read_policy(SCORED), payments(10))


@given(
    amounts=st.lists(st.integers(1, 1_000), min_size=1, max_size=12),
    size=st.integers(1, 12),
)
def test_a_decision_is_the_same_whatever_the_batch(amounts: list[int], size: int) -> None:
    assert decided(policy(), payments(*amounts), size) == decided(policy(), payments(*amounts))


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ('version = "nonsense!"', NO_VERSION),
        ("shadow = []", NO_VERSION),
        (
            'version = "0123456789abcdef"\nshadow = "x"',
            "model.shadow: must be a list of at most 8 versions of models",
        ),
        (
            'version = "0123456789abcdef"\nshadow = ["0123456789abcdef"]',
            "model.shadow: names a model twice, or the one that decides",
        ),
        ('version = "0123456789abcdef"\nreasons = 0', "model.reasons: must be a number from 1 to 10"),
        (
            'version = "0123456789abcdef"\n[model.thresholds]\nreview = 0.9\ndecline = 0.5',
            "model.thresholds: must rise from challenge to review to decline",
        ),
        ('version = "0123456789abcdef"\n[[rules]]\nname = "model"\nwhen = "amount > 1"\noutcome = "review"',
         'rules.model.name: "model" is what decisions by a model are reasoned with'),
    ],
)  # fmt: skip
def test_a_section_that_is_wrong_is_refused_with_its_place(section: str, problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_policy(f"[model]\n{section}")
    assert [fault.problem for fault in refused.value.faults] == [problem]


def test_a_rule_may_be_called_model_where_there_is_none() -> None:
    assert (
        read_policy('[[rules]]\nname = "model"\nwhen = "amount > 1"\noutcome = "review"').rules[0].name
        == MODEL
    )
