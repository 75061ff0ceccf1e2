"""Learning labels: from known_at on and never before, and at the same place when history is seen again."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest

from shroff.adapters.memory import MemoryQueue, MemorySnapshots, MemoryStore
from shroff.codec import decision_members, encode_transaction
from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows import learn
from shroff.flows.learn import lessons
from shroff.flows.publish import publish
from shroff.flows.rebuild import rebuild
from shroff.flows.replay import replay
from shroff.ports import Entry, Label, Source
from shroff.runtimes.embedded.worker import Worker, WorkerPorts
from tests.core.samples import DAY, HOUR, START, transaction

POLICY = """
[entities]
merchant = "merchant"
customer = "customer_id"
[features]
merchant = [
    "count_1d", "labelled_count_7d", "fraud_count_7d", "fraud_rate_7d", "fraud_run_30d",
    "run_unexplained_30d", "unexplained_count_7d",
]
customer = ["fraud_count_7d", "surprise_max_7d"]
[[rules]]
name = "bad_shop"
when = "merchant.fraud_count_7d >= 1"
outcome = "review"
score = 0.5
reason = "Known frauds at {merchant}"
"""
WIDER = POLICY.replace('"count_1d"', '"count_1d", "count_7d"')


class World:
    """A worker over the memory twins, whose clock is far after all that happens."""

    def __init__(self, document: str = POLICY) -> None:
        self.queue, self.store, self.snapshots = MemoryQueue(), MemoryStore(), MemorySnapshots()
        self.now = START + 400 * DAY
        self.policy, _ = publish(self.store.policies, document, 0)

    def worker(self, batch: int = 1_000) -> Worker:
        ports = WorkerPorts(
            queue=self.queue,
            ledger=self.store.ledger,
            labels=self.store.labels,
            lists=self.store.lists,
            models=self.store.models,
            policies=self.store.policies,
            snapshots=self.snapshots,
            store_changed=lambda: 0,  # nobody else commits
            clock=lambda: self.now,
        )
        return Worker(ports, batch=batch, retry_delays=(), snapshot_every=10**9)

    def run(self, rows: Iterable[Transaction], batch: int = 1_000) -> World:
        self.queue.append([
            Entry(transaction_id=each.transaction_id, body=encode_transaction(each), received_at=self.now)
            for each in rows
        ])  # fmt: skip
        worker = self.worker(batch)
        while worker.step():
            pass
        return self

    def label(self, number: int, known_at: int, fraud: bool = True, source: Source = "analyst") -> str:
        (status,) = self.store.labels.add([
            Label(
                transaction_id=f"t{number}", fraud=fraud, source=source, known_at=known_at,
                received_at=self.now,
            )
        ])  # fmt: skip
        return status

    def seen(self, name: str) -> list[float | None]:
        """A feature of every decided transaction, in order."""
        names = self.policy.snapshot_names
        return [
            decision_members(each.decision, names)["features"][name]
            for part in self.store.ledger.history()
            for each in part
        ]

    def snapshots_kept(self) -> list[bytes]:
        return [each.decision.snapshot for part in self.store.ledger.history() for each in part]


def hourly(numbers: Iterable[int]) -> list[Transaction]:
    return [transaction(n, n * HOUR, customer_id="ann", merchant="shop") for n in numbers]


def at(number: float) -> int:
    """The moment of an hourly transaction."""
    return START + int(number * HOUR)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_label_counts_from_the_moment_on_at_which_it_was_known(batch: int) -> None:
    world = World().run(hourly(range(2)))
    world.label(0, known_at=at(3))
    world.run(hourly(range(2, 6)), batch)
    assert world.seen("merchant.fraud_count_7d") == [0, 0, 0, 1, 1, 1]
    assert world.seen("merchant.fraud_run_30d")[2] != world.seen("merchant.fraud_run_30d")[3]
    outcomes = [each.decision.outcome for part in world.store.ledger.history() for each in part]
    assert outcomes == ["approve"] * 3 + ["review"] * 3


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_label_that_came_first_is_applied_when_its_transaction_arrives(batch: int) -> None:
    world = World()
    world.label(1, known_at=at(2))
    world.label(3, known_at=at(0), fraud=False)
    world.run(hourly(range(6)), batch)
    assert world.seen("merchant.fraud_count_7d") == [0, 0, 1, 1, 1, 1]
    assert world.seen("merchant.labelled_count_7d") == [0, 0, 1, 1, 2, 2]


def test_a_label_that_is_due_after_the_last_transaction_waits() -> None:
    world = World().run(hourly(range(2)))
    world.label(0, known_at=at(90))
    world.run(hourly(range(2, 4)))
    assert world.store.labels.counts()["learned"] == 0
    world.run(hourly([90]))
    assert world.store.labels.counts()["learned"] == 1
    assert world.seen("merchant.fraud_count_7d")[-1] == 1


def test_what_is_not_known_yet_by_the_clock_waits_though_a_transaction_is_ahead_of_it() -> None:
    world = World().run(hourly(range(2)))
    world.label(0, known_at=world.now + 1)
    world.run([transaction(2, 401 * DAY, customer_id="ann", merchant="shop")])
    assert world.store.labels.counts()["learned"] == 0


def test_a_word_that_says_nothing_new_is_passed_and_a_new_one_is_learned() -> None:
    world = World().run(hourly(range(2)))
    world.label(0, known_at=at(1.5))
    world.label(0, known_at=at(1.6), source="chargeback")
    world.run(hourly([2]))
    assert world.store.labels.counts() | {"learned": 1, "passed": 1} == world.store.labels.counts()
    world.label(0, known_at=at(1.4), fraud=False)
    world.run(hourly([3]))
    assert world.store.labels.counts()["passed"] == 2, "older than the last word"
    world.label(0, known_at=at(3.5), fraud=False)
    world.run(hourly([4]))
    assert world.store.labels.counts()["learned"] == 2
    assert world.seen("merchant.labelled_count_7d") == [0, 0, 1, 1, 2]


def storm(seed: int, count: int = 120) -> World:
    """Labels and transactions in any order, some late, in batches of any size, with restarts between."""
    source = random.Random(seed)
    world = World()
    rows = [
        transaction(
            n, (n - (source.randrange(30) if source.random() < 0.2 else 0)) * HOUR,
            customer_id=source.choice(["ann", "bob", None]), merchant=source.choice(["shop", "bar", None]),
        )
        for n in range(count)
    ]  # fmt: skip
    while rows:
        size = source.randrange(1, 20)
        for _ in range(source.randrange(6)):
            about = source.randrange(count)
            known_at = at(about + source.choice([0, 1, 5, 24]))
            world.label(about, known_at, source.random() < 0.6, source.choice(["analyst", "customer"]))
        world.run(rows[:size], batch=source.choice([1, 4, 50]))
        rows = rows[size:]
    return world


@pytest.mark.parametrize("seed", range(3))
def test_every_decision_is_made_again_to_the_byte_with_labels(seed: int) -> None:
    world = storm(seed)
    records = [each for part in world.store.ledger.history() for each in part]
    assert world.store.labels.counts()["learned"] > 20
    assert any(world.seen("customer.fraud_count_7d"))
    for record in records[::3]:
        found = replay(record, world.policy, world.store.ledger, world.store.labels)
        assert found.same, found.differences()
    without = [replay(record, world.policy, world.store.ledger) for record in records[::3]]
    assert not all(each.same for each in without)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cut", [40, 90])
def test_a_snapshot_and_what_came_since_are_the_whole_of_history(seed: int, cut: int) -> None:
    world = storm(seed, cut)
    worker = world.worker()
    worker.start()
    worker.snapshot()
    for number in range(0, cut, 3):
        world.label(number, known_at=at(cut), source="chargeback")
    world.run(hourly(range(cut, cut + 20)), batch=7)
    parts = world.policy, world.store.ledger
    kept = rebuild(*parts, world.snapshots, world.store.labels)
    whole = rebuild(*parts, MemorySnapshots(), world.store.labels)
    assert (kept.began, whole.began) == (cut, 0)
    assert kept[1:2] + kept[3:] == whole[1:2] + whole[3:]
    answers = [observe(each.state, Batch.of(hourly(range(cut + 20, cut + 40)))) for each in (kept, whole)]
    np.testing.assert_array_equal(answers[0], answers[1])


def test_a_new_policys_label_features_are_filled_from_what_was_learned() -> None:
    world, steady = storm(1, 60), storm(1, 60)
    publish(world.store.policies, WIDER, 1)
    extra = hourly(range(60, 70))
    world.run(extra)
    steady.run(extra)
    world.policy = read_policy(WIDER)
    records = [world.store.ledger.find(each.transaction_id) for each in extra]
    for name in steady.policy.feature_names:
        column = world.policy.snapshot_names.index(name)
        values = [np.frombuffer(each.decision.snapshot, "<f8")[column] for each in records if each]
        expected = [np.nan if each is None else each for each in steady.seen(name)[-10:]]
        np.testing.assert_array_equal(values, expected, err_msg=name)


def test_more_arrears_than_fit_in_a_batch_are_learned_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world, steady = World().run(hourly(range(30))), World().run(hourly(range(30)))
    for each in (world, steady):
        for number in range(30):
            each.label(number, known_at=at(30), fraud=number % 2 == 0)
    steady.run(hourly(range(30, 33)))
    monkeypatch.setattr(learn, "_TOGETHER", 4)
    world.run(hourly(range(30, 33)))
    assert world.snapshots_kept() == steady.snapshots_kept()
    assert world.store.labels.counts()["learned"] == 30
    record = world.store.ledger.find("t31")
    assert record is not None
    assert replay(record, world.policy, world.store.ledger, world.store.labels).same


def test_labels_are_placed_before_the_first_row_that_may_know_of_them() -> None:
    world = World().run(hourly([0, 1]))
    world.label(0, known_at=at(3))
    world.label(1, known_at=at(1))
    world.label(4, known_at=at(2))
    found = lessons(hourly([2, 3, 4, 5]), world.store.labels, world.now)
    assert [(each.number, each.row) for each in found.learned] == [(2, 0), (1, 1), (3, 3)]
