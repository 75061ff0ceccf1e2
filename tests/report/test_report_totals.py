from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.alert import alert_id
from shroff.core.columns import Batch
from shroff.core.decision import Decision
from shroff.core.policy import OUTCOMES
from shroff.core.report import Exchange, Tally
from shroff.core.transaction import Transaction
from shroff.flows.audit import Audit
from tests.conftest import DATA
from tests.report.world import DAY_LONG, HOUR, MIDNIGHT, POLICY, alert, at, reason


def test_sums_are_exact_and_the_mean_has_six_decimals(world):
    for number, minor in enumerate((10, 20, 10**15)):
        world.decided(f"t-{number}", minor)
    totals = world.report()["totals"]
    assert (totals["count"], totals["sum"]) == (3, Decimal("10000000000000.30"))
    assert totals["mean"] == Decimal("3333333333333.433333")


def test_the_last_millisecond_belongs_to_the_day_and_the_next_to_another(world):
    for transaction_id, when in (("a", 0), ("b", DAY_LONG - 1), ("late", DAY_LONG), ("early", -1)):
        world.decided(transaction_id, at=MIDNIGHT + when)
    found = world.report()
    assert found["totals"]["count"] == 2
    assert [hour["hour"] for hour in found["by_hour"] if hour["count"]] == [0, 23]
    assert found["change"]["totals"]["count"]["before"] == 1


def test_each_outcome_rule_and_merchant_is_counted_with_its_money(world):
    world.decided("a", 100, merchant="One")
    world.decided("b", 250, outcome="review", reasons=(reason("large"),), merchant="Two")
    world.decided(
        "c", 400, outcome="decline", reasons=(reason("large"), reason("listed", "decline")), merchant="Two"
    )
    world.decided("d", 7, merchant=None)
    world.store.alerts.add([alert("a-1", rule="large"), alert("a-2", rule="large", occurred_at=MIDNIGHT - 1)])
    found = world.report()
    assert {name: (each["count"], each["sum"]) for name, each in found["by_outcome"].items()} == {
        "approve": (2, Decimal("1.07")),
        "challenge": (0, 0),
        "review": (1, Decimal("2.50")),
        "decline": (1, Decimal("4.00")),
    }
    assert [(each["rule"], each["hits"], each["sum"], each["alerts"]) for each in found["by_rule"]] == [
        ("large", 2, Decimal("6.50"), 1),
        ("listed", 1, Decimal("4.00"), 0),
    ]
    assert [(each["merchant"], each["count"], each["flagged"]) for each in found["by_merchant"]] == [
        ("Two", 2, 2),
        ("One", 1, 0),
        (None, 1, 0),
    ]
    assert found["top_entities"]["merchants"][0]["flagged_sum"] == Decimal("6.50")


def test_other_currencies_count_at_their_rate_and_those_without_one_are_left_out_of_sums(world):
    world.decided("a", 10_000)
    world.decided("b", 10_000, currency="USD")
    world.decided("c", 10_000, currency="GBP")
    found = world.report()
    totals = found["totals"]
    assert found["currency"] == "EUR"
    assert (totals["count"], totals["sum"], totals["without_rate"]) == (3, Decimal("187.00"), 1)
    assert totals["mean"] == Decimal("93.5")
    assert {each["currency"]: each["sum"] for each in found["by_currency"]} == {
        "EUR": 100,
        "USD": 100,
        "GBP": 100,
    }


def test_a_policy_that_is_not_known_leaves_the_money_in_its_own_currency(world):
    world.decided("a", 500, policy="gone", currency="JPY")
    found = world.report()
    assert (found["currency"], found["totals"]["sum"]) == ("JPY", 500)
    assert found["policies"] == [{"version": "gone", "name": None, "transactions": 1}]


def test_a_policy_that_can_no_longer_be_read_does_not_stop_the_report(world):
    world.store.policies.publish("old", "rules = 7", 1)
    world.decided("a", 500, policy="old")
    world.decided("b", 700)
    assert world.report()["totals"]["sum"] == 12


def test_dead_letters_count_on_the_day_of_their_transaction_or_else_of_their_arrival(world):
    yesterday = MIDNIGHT - HOUR
    world.died("stated", b'{"timestamp": 1534291200.5}', yesterday, "Rejected: odd")
    world.died("unreadable", b"\xff", MIDNIGHT + 1, "Rejected: odd")
    world.died("of the day before", b"\xff", yesterday)
    found = world.report()
    assert found["dead_letters"]["transaction_ids"] == ["stated", "unreadable"]
    assert found["dead_letters"]["by_cause"] == [{"cause": "Rejected: odd", "count": 2}]
    assert found["change"]["totals"]["dead_letters"] == {"today": 2, "before": 1, "difference": 1, "ratio": 2}


def test_findings_of_the_sweep_stand_apart_from_the_alerts_of_rules(world):
    from shroff.core.sweep import Finding, alerts_of

    finding = Finding(
        transaction_id="t-1", customer_id="cust-1", rule="large", reason="High", score=4.5,
        group="cust-1", occurred_at=MIDNIGHT,
    )  # fmt: skip
    world.store.alerts.add([alert(), *alerts_of(POLICY, [finding], 3)])
    found = world.report()
    assert (found["totals"]["alerts"], found["totals"]["sweep_findings"]) == (1, 1)
    assert found["sweep"]["by_group"][0]["highest_score"] == Decimal("4.5")
    assert [each["alert_id"] for each in found["alerts"]["listed"]] == ["a-1"]


def test_the_audit_is_reported_with_what_is_missing(world):
    audit = Audit(accepted=3, decided=1, dead_lettered=0, in_flight=0, missing=("b", "a"))
    assert world.report(audit=audit)["audit"] == {
        "accepted": 3,
        "decided": 1,
        "dead_lettered": 0,
        "in_flight": 0,
        "missing": ["a", "b"],
        "clean": False,
    }


def test_the_gravest_alerts_the_busiest_rules_and_the_highest_findings_come_first(world):
    world.decided("a", at=MIDNIGHT, outcome="review", reasons=(reason("rare"),))
    for number in range(2):
        world.decided(f"b-{number}", outcome="review", reasons=(reason("busy"),))
    ranks = {"a-low": ("review", 0.2), "b-high": ("review", 0.9), "c-worst": ("decline", 0.1)}
    for name, (outcome, score) in ranks.items():
        world.store.alerts.add([alert(name, outcome=outcome, score=score)])
    findings = [alert(f"{score}", score=score, transaction_id=f"{score}") for score in (1.5, 4.5, 2.5)]
    swept = [
        replace(each, alert_id=alert_id(each.reason, "transaction", each.alert_id, "sweep"))
        for each in findings
    ]
    world.store.alerts.add(swept)
    found = world.report()
    assert [each["rule"] for each in found["by_rule"]] == ["busy", "rare"]
    assert [each["alert_id"] for each in found["alerts"]["listed"]] == ["c-worst", "b-high", "a-low"]
    assert [float(each["score"]) for each in found["sweep"]["listed"]] == [4.5, 2.5, 1.5]


def test_many_merchants_are_cut_to_the_largest_and_the_rest_added_up(world, monkeypatch):
    monkeypatch.setattr("shroff.flows.report.document.ALL_MERCHANTS", 3)
    monkeypatch.setattr("shroff.flows.report.document.MOST_MERCHANTS", 2)
    for number in range(5):
        world.decided(f"t-{number}", 100 + number, merchant=f"m-{number}")
    found = world.report()
    assert [each["merchant"] for each in found["by_merchant"]] == ["m-4", "m-3"]
    assert found["other_merchants"] == {"merchants": 3, "count": 3, "sum": Decimal("3.03")}


PAYMENTS = st.lists(
    st.tuples(
        st.integers(1, 10**15),
        st.sampled_from(("EUR", "USD", "JPY", "KWD")),
        st.sampled_from(OUTCOMES),
        st.integers(0, DAY_LONG - 1),
        st.sampled_from(("a", "b", None)),
    ),
    max_size=30,
)


def _tallied(payments: list[tuple[Any, ...]]) -> tuple[Tally, list[Transaction]]:
    exchange = Exchange({POLICY.version: POLICY}.get)
    tally, transactions = Tally(exchange), []
    for number, (minor, currency, outcome, when, merchant) in enumerate(payments):
        transaction = Transaction(
            transaction_id=str(number),
            amount_minor=minor,
            currency=currency,
            occurred_at=when,
            merchant=merchant,
        )
        decision = Decision(
            transaction_id=str(number), outcome=outcome, score=0, reasons=(), snapshot=b"",
            policy_version=POLICY.version, decided_at=0,
        )  # fmt: skip
        tally.add(transaction, decision)
        transactions.append(transaction)
    return tally, transactions


@given(PAYMENTS)
def test_the_report_adds_up_the_amounts_that_the_rules_compared(payments):
    tally, transactions = _tallied(payments)
    amounts = Batch.of(transactions).in_base("EUR", POLICY.rates)
    priced = amounts[~np.isnan(amounts)]
    assert tally.total.minor == sum(map(int, priced))
    assert tally.total.priced == len(priced)


@given(PAYMENTS)
def test_hours_outcomes_and_merchants_each_add_up_to_the_total(payments):
    tally, _ = _tallied(payments)
    for parts in (
        [tally.hour(hour) for hour in range(24)],
        [tally.outcome(outcome) for outcome in OUTCOMES],
        [each.all for each in tally.merchants.values()],
    ):
        assert sum(part.count for part in parts) == tally.total.count
        assert sum(part.minor for part in parts) == tally.total.minor


@given(PAYMENTS)
def test_a_mean_is_the_exact_quotient_rounded_once(payments):
    tally, _ = _tallied(payments)
    mean = tally.total.mean("EUR")
    if mean is None:
        assert tally.total.priced == 0
        return
    exact = Fraction(tally.total.minor, tally.total.priced * 100)
    assert abs(Fraction(mean) - exact) <= Fraction(1, 2_000_000)


@pytest.mark.skipif(
    not (DATA / "fdh_to_2018-09-04.parquet").exists(), reason="no FDH file in the data folder"
)
def test_a_real_day_equals_an_independent_query(world):
    table = pl.scan_parquet(DATA / "fdh_to_2018-09-04.parquet").filter(pl.col("TX_AMOUNT") > 0)
    table = table.with_columns(
        cents=(pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64), ms=pl.col("TX_DATETIME").dt.epoch("ms")
    )
    day = table.filter(pl.col("TX_DATETIME").dt.date() == pl.date(2018, 8, 15)).collect()
    for number, customer, terminal, cents, ms in day.select(
        "TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID", "cents", "ms"
    ).iter_rows():
        outcome = "decline" if cents > 22_000 else "approve"
        world.decided(str(number), cents, ms, outcome, customer_id=str(customer), merchant=str(terminal))
    found = world.report()

    def amount(cents: int) -> Decimal:
        return Decimal(cents) / 100

    assert found["totals"]["count"] == day.height == len(world.rows())
    assert found["totals"]["sum"] == amount(int(day["cents"].sum()))
    assert float(found["totals"]["mean"]) == pytest.approx(day["TX_AMOUNT"].mean(), abs=1e-6)
    declined = day.filter(pl.col("cents") > 22_000)
    assert found["by_outcome"]["decline"]["count"] == declined.height > 0
    assert found["by_outcome"]["decline"]["sum"] == amount(int(declined["cents"].sum()))
    hours = dict(day.group_by(pl.col("TX_DATETIME").dt.hour()).len().iter_rows())
    assert {hour["hour"]: hour["count"] for hour in found["by_hour"] if hour["count"]} == hours
    sums = day.group_by("TERMINAL_ID").agg(pl.col("cents").sum()).iter_rows()
    assert {each["merchant"]: each["sum"] for each in found["by_merchant"]} == {
        str(terminal): amount(cents) for terminal, cents in sums
    }


def test_an_instant_of_the_test_world_is_where_it_says():
    assert at("2018-08-15T00:00:00") == MIDNIGHT
