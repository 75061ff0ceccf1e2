"""Alerts: one per entity, rule and window of time."""

from __future__ import annotations

from typing import Any

import pytest

from shroff.core.alert import Alert, merge, raise_alerts
from shroff.core.columns import Batch
from shroff.core.policy import SCORE
from shroff.core.transaction import Transaction
from tests.core.samples import HOUR, START, decided, policy, transaction

DOCUMENT = """
alert_window = "1h"
alert_from = "review"
[entities]
customer = "customer_id"
pair = ["customer_id", "merchant"]
[[rules]]
name = "big"
when = "amount > 100"
outcome = "review"
score = 0.4
reason = "{amount} is big"
[[rules]]
name = "pairwise"
when = "amount > 1000"
outcome = "decline"
score = 0.5
entity = "pair"
[[rules]]
name = "mild"
when = "amount > 50"
outcome = "challenge"
score = 0.1
[[rules]]
name = "single"
when = "amount == 7"
outcome = "review"
entity = "transaction"
"""
HEAD_OF_HOUR = -START % HOUR  # so that the windows of the tests begin with a window of alerts


def raised(*transactions: Transaction, document: str = DOCUMENT) -> list[Alert]:
    which = policy(document)
    return raise_alerts(which, Batch.of(transactions), decided(which, transactions), raised_at=9)


def payment(number: int, at: int = 0, amount: int = 20_000, **members: Any) -> Transaction:
    return transaction(
        number, HEAD_OF_HOUR + at, amount, **{"customer_id": "ann", "merchant": "shop", **members}
    )


def test_an_alert_says_what_was_hit_and_by_whom() -> None:
    [alert] = raised(payment(1))
    assert (alert.rule, alert.entity, alert.key, alert.outcome) == ("big", "customer", "ann", "review")
    assert (alert.reason, alert.transaction_id, alert.hits) == ("200 is big", "t1", 1)
    assert (alert.occurred_at, alert.raised_at, alert.score) == (START + HEAD_OF_HOUR, 9, 0.46)


def test_hits_of_one_rule_on_one_entity_in_one_window_are_one_alert() -> None:
    [alert] = raised(payment(1), payment(2, HOUR - 1), payment(3, 5))
    assert (alert.hits, alert.transaction_id) == (3, "t1")


@pytest.mark.parametrize("other", [{"at": HOUR}, {"customer_id": "bob"}, {"customer_id": None}])
def test_another_window_or_another_entity_is_another_alert(other: dict[str, Any]) -> None:
    first, second = raised(payment(1), payment(2, **other))
    assert first.alert_id != second.alert_id


def test_an_alert_keeps_the_first_transaction_and_the_highest_score() -> None:
    big = payment(2, amount=200_000)
    [alert] = [each for each in raised(payment(1), big) if each.rule == "big"]
    assert (alert.transaction_id, alert.score, alert.hits) == ("t1", 0.73, 2)


def test_a_rule_milder_than_the_policy_asks_for_raises_nothing() -> None:
    assert raised(payment(1, amount=6_000)) == []


def test_an_alert_is_about_the_entity_that_its_rule_names() -> None:
    by_rule = {alert.rule: alert for alert in raised(payment(1, amount=200_000))}
    assert (by_rule["pairwise"].entity, by_rule["pairwise"].key) == ("pair", "ann, shop")


def test_without_its_entity_a_transaction_stands_for_itself() -> None:
    first, second = raised(payment(1, customer_id=None), payment(2, customer_id=None))
    assert [(each.entity, each.key) for each in (first, second)] == [
        ("transaction", "t1"),
        ("transaction", "t2"),
    ]


def test_a_rule_about_the_transaction_alone_raises_an_alert_each() -> None:
    alerts = raised(payment(1, amount=700), payment(2, amount=700))
    assert [(each.entity, each.key) for each in alerts] == [("transaction", "t1"), ("transaction", "t2")]


def test_a_score_that_alone_leads_to_review_raises_an_alert_about_the_customer() -> None:
    [alert] = raised(payment(1, amount=6_000), document=DOCUMENT + "[thresholds]\nreview = 0.1")
    assert (alert.rule, alert.entity, alert.key, alert.outcome) == (SCORE, "customer", "ann", "review")


def test_merging_in_parts_is_merging_at_once() -> None:
    alerts = [raised(payment(number, number * HOUR // 3, amount=200_000))[number % 2] for number in range(9)]
    assert merge([*merge(alerts[:4]), *merge(alerts[4:])]) == merge(alerts)
    assert sum(alert.hits for alert in merge(alerts)) == 9
