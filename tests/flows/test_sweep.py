"""Sweeping the ledger: the window's transactions, and each finding one alert."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from shroff.core.transaction import Transaction
from shroff.flows.sweep import Swept, sweep
from shroff.ports import Ledger, Record
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


class Counted:
    """A ledger that counts how often a window is read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self.reads = ledger, 0

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        self.reads += 1
        for records in self._ledger.between(start, end):
            yield from ([record] for record in records)


def in_passes(pipeline: Pipeline, most: int) -> tuple[Swept, int]:
    store = pipeline.store
    ledger = Counted(store.ledger)
    found = sweep(
        pipeline.policy,
        ledger,  # type: ignore[arg-type]
        store.alerts,
        at=START + 5 * MINUTE,
        window=5 * MINUTE,
        now=START,
        most=most,
    )
    return found, ledger.reads


rows = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cid", "dot", None]), st.sampled_from([1_000, 99_000, 600_000])),
    max_size=60,
)


@given(rows=rows, most=st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_any_number_of_passes_finds_the_same(rows: list[tuple[str | None, int]], most: int) -> None:
    pipeline = Pipeline()
    pipeline.run(
        transaction(number, number * 1000, amount, customer_id=who)
        for number, (who, amount) in enumerate(rows)
    )
    once, _ = in_passes(pipeline, 1_000)
    alerts = pipeline.store.alerts.between(0, 2**62)
    found, reads = in_passes(pipeline, most)
    assert sorted(found.findings, key=repr) == sorted(once.findings, key=repr)
    assert found.transactions == once.transactions
    assert pipeline.store.alerts.between(0, 2**62) == alerts
    if len(rows) <= most:
        assert (found.findings, reads) == (once.findings, 1)
    else:
        assert reads <= 1 + 5, "one to count, and one a group at most"


def test_groups_that_fit_together_are_read_together() -> None:
    pipeline = Pipeline()
    pipeline.run(
        transaction(number, number, 1000, customer_id=f"customer-{number % 50}") for number in range(1_000)
    )
    found, reads = in_passes(pipeline, 400)
    assert (found.transactions, reads) == (1_000, 4)
    assert len(found.findings) == 1_000


def test_a_group_of_too_many_is_held_whole() -> None:
    pipeline = Pipeline()
    pipeline.run(burst(40))
    found, reads = in_passes(pipeline, 10)
    assert (len(found.findings), reads) == (40, 2)
    assert {each.score for each in found.findings} == {4.0}
