"""The look-back: its two default rules as the issue words them, and its groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shroff
from shroff.core.columns import Batch
from shroff.core.policy_document import read_policy
from shroff.core.sweep import Finding, alerts_of, sweep
from shroff.core.transaction import Transaction
from tests.core.samples import transaction

POLICY = read_policy((Path(shroff.__file__).parent / "policies" / "default.toml").read_text())


def swept(*transactions: Transaction) -> list[Finding]:
    return sweep(POLICY, Batch.of(transactions))


def payments(*amounts: int, first: int = 0, **members: Any) -> list[Transaction]:
    """Payments of whole dollars, one a second."""
    values = {"customer_id": "ann", **members}
    numbered = enumerate(amounts, first)
    return [transaction(number, number * 1000, amount * 100, **values) for number, amount in numbered]


def test_an_amount_above_three_means_and_above_1000_is_found_with_its_ratio() -> None:
    [finding] = swept(*payments(10, 10, 10, 10, 2000))
    assert finding == Finding(
        transaction_id="t4",
        customer_id="ann",
        rule="high_amount",
        reason="High amount compared to average",
        score=4.9,  # 2000 / 408, rounded to 2
        group="ann",
        occurred_at=finding.occurred_at,
    )


@pytest.mark.parametrize(
    ("amounts", "found"),
    [
        ((10, 10, 10, 10, 1000), False),  # not above 1000
        ((10, 10, 10, 10, 1001), True),
        ((2, 2, 2, 2994), True),  # 3 * 750 = 2250
        ((400, 400, 400, 400, 2400), False),  # 3 * 800 = 2400 is not above
        ((400, 400, 400, 400, 2401), True),
        ((5000,), False),
    ],
)
def test_above_means_above(amounts: tuple[int, ...], found: bool) -> None:
    assert [finding.rule for finding in swept(*payments(*amounts))] == ["high_amount"] * found


def test_more_than_ten_in_the_window_marks_all_of_that_customer_s_transactions() -> None:
    findings = swept(*payments(*[10] * 11), *payments(*[10] * 10, first=20, customer_id="bob"))
    assert [finding.transaction_id for finding in findings] == [f"t{number}" for number in range(11)]
    assert {(each.reason, each.score) for each in findings} == {("High transaction frequency", 1.1)}


def test_ten_in_the_window_are_not_more_than_ten() -> None:
    assert swept(*payments(*[10] * 10)) == []


def test_transactions_without_a_customer_form_one_group() -> None:
    findings = swept(*payments(*[10] * 6, customer_id=None), *payments(*[10] * 5, first=6, customer_id=None))
    assert len(findings) == 11
    assert {(each.customer_id, each.group) for each in findings} == {("unknown", "unknown")}


def test_a_customer_who_is_called_unknown_is_not_the_group_without_one() -> None:
    named = payments(*[10] * 6, customer_id="unknown")
    assert swept(*named, *payments(*[10] * 6, first=6, customer_id=None)) == []


def test_both_rules_may_find_one_transaction() -> None:
    findings = swept(*payments(*[10] * 10, 5000))
    assert [each.rule for each in findings if each.transaction_id == "t10"] == [
        "high_amount",
        "high_frequency",
    ]


def test_amounts_are_compared_in_the_base_currency() -> None:
    yen = transaction(9, 0, 400_000, currency="JPY", customer_id="ann")  # 2,680 dollars
    [finding] = swept(*payments(10, 10, 10, 10), yen)
    assert (finding.transaction_id, finding.score) == ("t9", 4.93)  # 2680 / 544


def test_an_amount_without_a_rate_counts_as_a_transaction_and_has_no_amount() -> None:
    unpriced = [transaction(100 + n, n, 10**9, currency="XAF", customer_id="ann") for n in range(4)]
    findings = swept(*payments(10, 10, 10, 10, 2000), *unpriced)
    assert [each.transaction_id for each in findings] == ["t4"]
    assert len(swept(*payments(*[10] * 7), *unpriced)) == 11, "seven and four are more than ten"


def test_a_score_that_is_missing_is_zero() -> None:
    document = POLICY.document.replace('score = "window.count / 10"', 'score = "window.amount_mean"')
    rows = [transaction(number, 0, 100, currency="XAF", customer_id="ann") for number in range(11)]
    assert {each.score for each in sweep(read_policy(document), Batch.of(rows))} == {0.0}


def test_nothing_to_sweep_finds_nothing() -> None:
    assert swept() == []


def test_a_finding_is_one_alert_however_often_windows_overlap() -> None:
    rows = payments(*[10] * 10, 5000)
    once, again = (alerts_of(POLICY, swept(*part), 5) for part in (rows, rows[1:] + payments(7, first=50)))
    ids = {alert.alert_id for alert in once}
    assert len(ids) == len(once) == 12
    assert len(ids | {alert.alert_id for alert in again}) == 13, "only the new transaction is new"
    assert {alert.entity for alert in once} == {"customer"}


amounts = st.lists(
    st.tuples(st.integers(1, 10**6), st.sampled_from(["ann", "bob", "cas", None])), min_size=1, max_size=60
)


@given(amounts)
def test_findings_are_those_of_the_issue_s_words(drawn: list[tuple[int, str | None]]) -> None:
    rows = [transaction(n, n, amount, customer_id=who) for n, (amount, who) in enumerate(drawn)]
    expected = list[tuple[str, str, Any]]()
    for n, (amount, who) in enumerate(drawn):
        mine = [other for other, of in drawn if of == who]
        mean = sum(mine) / len(mine)
        if amount > 3 * mean and amount > 100_000:
            expected.append(
                (f"t{n}", "High amount compared to average", pytest.approx(amount / mean, abs=0.0051))
            )
        if len(mine) > 10:
            expected.append((f"t{n}", "High transaction frequency", len(mine) / 10))
    found = [(each.transaction_id, each.reason, each.score) for each in swept(*rows)]
    assert sorted(found, key=lambda each: each[:2]) == sorted(expected, key=lambda each: each[:2])
