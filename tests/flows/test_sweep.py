"""Sweeping the ledger: the window's transactions, and each finding one alert."""

from __future__ import annotations

from shroff.core.transaction import Transaction
from shroff.flows.sweep import Swept, sweep
from tests.core.samples import MINUTE, START, transaction
from tests.flows.pipeline import Pipeline


def burst(count: int, first: int = 0, at: int = 0) -> list[Transaction]:
    return [transaction(first + n, at + n * 1000, 1000, customer_id="ann") for n in range(count)]


def swept(pipeline: Pipeline, at: int, window: int = 5 * MINUTE) -> Swept:
    store = pipeline.store
    return sweep(pipeline.policy, store.ledger, store.alerts, at=START + at, window=window, now=START + at)


def test_a_sweep_looks_at_the_window_from_its_start_up_to_but_without_its_end() -> None:
    pipeline = Pipeline()
    edges = [-5 * MINUTE - 1, -5 * MINUTE, -1, 0, 1]
    pipeline.run(transaction(number, at) for number, at in enumerate(edges))
    found = swept(pipeline, 0)
    assert found.transactions == 2
    assert (found.start, found.end) == (START - 5 * MINUTE, START)


def test_a_finding_is_shown_as_programs_read_it() -> None:
    pipeline = Pipeline()
    pipeline.run(burst(11))
    members = swept(pipeline, MINUTE).members()
    assert (members["from"], members["to"]) == ("2023-11-14T22:09:20.000Z", "2023-11-14T22:14:20.000Z")
    assert (members["transactions"], len(members["findings"])) == (11, 11)
    assert members["findings"][0] == {
        "transaction_id": "t0", "customer_id": "ann", "reason": "High transaction frequency", "score": 1.1
    }  # fmt: skip


def test_overlapping_sweeps_raise_each_alert_once() -> None:
    pipeline = Pipeline()
    pipeline.run(burst(11))
    assert swept(pipeline, MINUTE).new_alerts == 11
    again = swept(pipeline, 2 * MINUTE)
    assert (len(again.findings), again.new_alerts) == (11, 0)
    pipeline.run(burst(1, first=50, at=90_000))
    assert swept(pipeline, 2 * MINUTE).new_alerts == 1
    alerts = [alert for _, alert in pipeline.store.alerts.after(0, 100)]
    sweeps = [alert for alert in alerts if alert.rule == "high_frequency"]
    assert len(sweeps) == 12
    assert {alert.hits for alert in sweeps} == {1}, "seen again is not hit again"


def test_an_empty_window_finds_nothing() -> None:
    assert swept(Pipeline(), 0).members()["findings"] == []
