"""The worker over the memory twins: failures end at one message, restarts change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from threading import current_thread
from typing import Any, cast

import numpy as np
import pytest
from msgspec.structs import replace

from shroff.adapters.memory import MemoryQueue, MemorySnapshots, MemoryStore
from shroff.codec import encode_transaction
from shroff.core.alert import raise_alerts
from shroff.core.columns import Batch
from shroff.core.errors import Rejected, Retryable
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows.audit import audit
from shroff.flows.publish import publish
from shroff.ports import Entry, Lists, Record
from shroff.runtimes.embedded import worker as module
from shroff.runtimes.embedded.worker import Worker, WorkerPorts

POLICY = """
[entities]
customer = "customer_id"
[features]
customer = ["count_1h", "amount_sum_1h", "merchant_distinct_1h"]
[lists.blocked]
field = "card_id"
[[rules]]
name = "blocked"
when = "list.blocked"
outcome = "decline"
"""
WIDER = POLICY.replace('"count_1h",', '"count_1h", "count_1d",')


class World:
    """Everything that a worker asks, in memory, with a clock to turn and faults to plant."""

    def __init__(self, more: str = "") -> None:
        self.now = 1_000_000
        self.queue, self.store, self.snapshots = MemoryQueue(), MemoryStore(), MemorySnapshots()
        self.faults: dict[str, Exception] = {}
        publish(self.store.policies, POLICY + more, 0)

    def worker(self, **options: Any) -> Worker:
        ports = WorkerPorts(
            queue=self.queue,
            ledger=self.store.ledger,
            labels=self.store.labels,
            lists=cast("Lists", self),  # of that port, a worker asks for members only
            policies=self.store.policies,
            models=self.store.models,
            snapshots=self.snapshots,
            store_changed=self.published,
            clock=lambda: self.now,
        )
        return Worker(ports, **{"batch": 100, "retry_delays": (1.0, 5.0), "snapshot_every": 10**9, **options})

    def published(self) -> int:
        """Changes when somebody else commits: a worker's own commits do not count."""
        active = self.store.policies.active()
        return 0 if active is None else active.number

    def members(self, name: str, values: Sequence[str], now: int) -> set[str]:
        for value in values:
            if value in self.faults:
                raise self.faults[value]
        return self.store.lists.members(name, values, now)

    def post(self, *numbers: int) -> None:
        entries = []
        for number in numbers:
            one = Transaction(
                transaction_id=f"t{number}",
                amount_minor=100 + number,
                currency="USD",
                occurred_at=number * 1000,
                customer_id=f"c{number % 3}",
                merchant=f"m{number % 5}",
                card_id=f"card-{number}",
            )
            entries.append(
                Entry(transaction_id=one.transaction_id, body=encode_transaction(one), received_at=self.now)
            )
        self.queue.append(entries)

    def records(self) -> list[Record]:
        return [record for part in self.store.ledger.history() for record in part]


def drained(worker: Worker) -> Worker:
    while worker.step():
        pass
    return worker


@pytest.mark.parametrize("fault", [Retryable("the list is locked"), RuntimeError("a bug")])
def test_a_failing_message_is_tried_three_times_with_backoff_and_then_dead_lettered(fault: Exception) -> None:
    world = World()
    world.faults["card-7"] = fault
    world.post(*range(20))
    worker = drained(world.worker())
    assert len(world.records()) == 19, "its neighbours are decided at once"
    for attempt, delay in enumerate((1_000, 5_000), 1):
        assert world.store.ledger.totals()["retrying"] == 1
        world.now += delay - 1
        assert worker.step() == 0, f"attempt {attempt + 1} waits for its time"
        world.now += 1
        assert worker.step() == 1
    (letter,) = world.store.dead_letters.all()
    assert [failure.at for failure in letter.message.failures] == [1_000_000, 1_001_000, 1_006_000]
    assert all(str(fault) in failure.cause for failure in letter.message.failures)
    assert audit(world.queue, world.store.ledger).clean


def test_a_message_that_fails_once_is_decided_at_its_second_attempt_and_counted_once() -> None:
    world = World()
    world.faults["card-7"] = Retryable("busy")
    world.post(*range(20))
    worker = drained(world.worker())
    world.faults.clear()
    world.now += 1_000
    drained(worker)
    world.post(*range(20, 24))
    drained(worker)
    fresh = World()
    fresh.post(*[n for n in range(20) if n != 7], 7, *range(20, 24))
    drained(fresh.worker(batch=3))
    assert snapshots(world) == snapshots(fresh)


def snapshots(world: World) -> dict[str, bytes]:
    return {record.transaction.transaction_id: record.decision.snapshot for record in world.records()}


def test_a_commit_that_fails_is_made_again_before_anything_else_and_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, steady = World(), World()
    worker = world.worker(batch=5)
    world.post(*range(20))
    commit, failures = world.store.ledger.commit, iter([True, False, True, True])

    def unreliable(work: Any) -> None:
        if next(failures, False):
            raise Retryable("the disk is full")
        commit(work)

    monkeypatch.setattr(world.store.ledger, "commit", unreliable)
    for _ in range(12):
        try:
            worker.step()
        except Retryable:
            continue
    steady.post(*range(20))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


def committing_threads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The thread of each commit, as they come."""
    commit, threads = world.store.ledger.commit, list[str]()

    def noted(work: Any) -> None:
        threads.append(current_thread().name.split("_")[0])
        commit(work)

    monkeypatch.setattr(world.store.ledger, "commit", noted)
    return threads


def test_where_many_wait_one_batch_is_committed_while_the_next_is_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, steady = World(), World()
    threads = committing_threads(world, monkeypatch)
    world.post(*range(22))
    drained(world.worker(batch=5))
    assert threads == ["beside", "beside", "beside", "MainThread", "MainThread"]
    steady.post(*range(22))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)
    assert audit(world.queue, world.store.ledger).clean


def test_a_worker_that_is_stopped_in_the_middle_has_committed_what_it_decided() -> None:
    world, steady = World(), World()
    world.post(*range(23))
    worker, rounds = world.worker(batch=5), iter([False, False, True])
    worker.run(lambda _: next(rounds))
    assert len(world.records()) == world.store.ledger.position() == 10
    worker.snapshot()
    drained(world.worker(batch=5))
    steady.post(*range(23))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


@pytest.mark.parametrize("failing", range(0, 20, 3))
def test_a_batch_that_cannot_be_decided_while_others_are_committed_takes_none_with_it(
    failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()

    def unlucky(policy: Any, batch: Batch, *rest: Any) -> Any:
        if f"t{failing}" in batch.transaction_id:
            raise RuntimeError("a bug")
        return raise_alerts(policy, batch, *rest)

    monkeypatch.setattr("shroff.flows.detect.raise_alerts", unlucky)
    world.post(*range(20))
    drained(world.worker(batch=5, retry_delays=()))
    assert sorted(snapshots(world)) == sorted(f"t{n}" for n in range(20) if n != failing)
    assert [letter.message.transaction_id for letter in world.store.dead_letters.all()] == [f"t{failing}"]
    steady = World()
    steady.post(*(n for n in range(20) if n != failing))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady), "what could not be decided has left no trace"


def test_a_policy_that_is_published_while_many_wait_decides_the_next_but_one_batch() -> None:
    world = World()
    world.post(*range(40))
    worker = world.worker(batch=5)
    for _ in range(2):
        worker.step()
    publication = publish(world.store.policies, WIDER, 1)[1]
    drained(worker)
    versions = [record.decision.policy_version == publication.version for record in world.records()]
    assert versions == sorted(versions)
    assert sum(versions) >= 20
    wider = World()
    wider.store, wider.queue = MemoryStore(), MemoryQueue()
    publish(wider.store.policies, WIDER, 0)
    wider.post(*range(40))
    drained(wider.worker())
    after = [record.transaction.transaction_id for record in world.records()][-20:]
    assert {name: snapshots(world)[name] for name in after} == {
        name: snapshots(wider)[name] for name in after
    }


def test_a_retry_does_not_wait_for_all_that_is_new() -> None:
    world = World()
    world.faults["card-2"] = Retryable("busy")
    world.post(*range(50))
    worker = world.worker(batch=5)
    for _ in range(3):
        worker.step()
    assert "t14" not in snapshots(world), "it has begun to decide ahead"
    world.faults.clear()
    world.now += 1_000
    for _ in range(3):
        worker.step()
    assert "t2" in snapshots(world)
    assert "t49" not in snapshots(world)


def test_a_message_that_comes_again_right_after_its_batch_is_decided_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.post(*range(20))
    once = world.queue.read(0, 100)
    twice = [replace(message, seq=at) for at, message in enumerate([*once[:8], *once[3:]], 1)]
    monkeypatch.setattr(world.queue, "read", lambda after, limit: twice[after : after + limit])
    drained(world.worker(batch=5))
    steady = World()
    steady.post(*range(20))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)
    assert len(world.records()) == 20


def test_two_batches_that_wait_for_their_commit_are_committed_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, steady = World(), World()
    world.post(*range(30))
    worker = world.worker(batch=5)
    worker.step()
    with monkeypatch.context() as patch:
        patch.setattr(world.store.ledger, "commit", raises(Retryable("the disk is full")))
        for _ in range(3):
            with pytest.raises(Retryable):
                worker.step()
    assert world.records() == []
    worker.step()
    assert len(world.records()) == 10
    drained(worker)
    steady.post(*range(30))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


def test_snapshots_of_a_worker_that_decides_ahead_are_of_what_is_committed() -> None:
    world = World()
    world.post(*range(40))
    worker = world.worker(batch=4, snapshot_every=8)
    while worker.step():
        kept = world.snapshots.load(read_policy(POLICY).state_key)
        if kept is not None:
            assert kept[0] <= len(world.records())
    assert kept is not None
    assert kept[0] == 40
    restarted = drained(world.worker(batch=4))
    world.post(*range(40, 50))
    drained(restarted)
    steady = World()
    steady.post(*range(50))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


def test_a_worker_stopped_while_a_commit_is_put_off_keeps_no_snapshot_that_is_ahead_of_the_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, steady = World(), World()
    world.post(1, 2)
    worker = drained(world.worker())
    worker.snapshot()
    world.post(4, 7)
    with monkeypatch.context() as patch:
        patch.setattr(world.store.ledger, "commit", raises(Retryable("the disk is full")))
        rounds = iter([False, False, True])
        worker.run(lambda _: next(rounds))
    drained(world.worker())
    steady.post(1, 2, 4, 7)
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


def raises(error: Exception) -> Any:
    def act(*_: object) -> None:
        raise error

    return act


def test_a_snapshot_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world.snapshots, "save", raises(Retryable("no space")))
    world.post(*range(10))
    drained(world.worker(batch=2, snapshot_every=2))
    assert len(world.records()) == 10


def test_a_large_state_is_kept_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    world, kept, save = World(), list[tuple[int, int]](), MemorySnapshots.save

    def noted(snapshots: MemorySnapshots, key: str, seq: int, arrays: Any) -> None:
        kept.append((seq, sum(array.nbytes for array in arrays.values())))
        save(snapshots, key, seq, arrays)

    monkeypatch.setattr(MemorySnapshots, "save", noted)
    monkeypatch.setattr(module, "WRITTEN_A_DECISION", 100)
    world.post(*range(100))
    drained(world.worker(batch=2, snapshot_every=4))
    assert kept[0][0] == 4, "nothing is known of its size yet"
    assert len(kept) > 1
    for (before, size), (after, _) in pairwise(kept):
        assert size // 100 <= after - before < size // 100 + 4
        assert after - before > 4


def test_a_queue_that_is_older_than_the_store_is_refused() -> None:
    world = World()
    world.post(*range(5))
    drained(world.worker())
    world.queue = MemoryQueue()
    with pytest.raises(Rejected, match="restore both"):
        world.worker().start()


def test_a_policy_that_could_not_be_read_from_a_busy_store_is_taken_at_the_next_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    worker = drained(world.worker())
    publication = publish(world.store.policies, WIDER, 1)[1]
    with monkeypatch.context() as patch:
        patch.setattr(world.store.policies, "history", raises(Retryable("busy")))
        with pytest.raises(Retryable):
            worker.step()
    world.post(1)
    drained(worker)
    assert world.records()[0].decision.policy_version == publication.version


def test_however_large_a_state_is_it_is_kept_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(module, "WRITTEN_A_DECISION", 1)
    monkeypatch.setattr(module, "MOST_SINCE", 10)
    world.post(*range(25))
    drained(world.worker(batch=1, snapshot_every=4))
    kept = world.snapshots.load(read_policy(POLICY).state_key)
    assert kept is not None
    assert kept[0] == 24, "at 4, then every 10"


@pytest.mark.parametrize("keeps_a_snapshot", [True, False])
def test_a_restarted_worker_goes_on_as_if_it_had_never_stopped(keeps_a_snapshot: bool) -> None:
    world, steady = World(), World()
    world.post(*range(30))
    first = drained(world.worker())
    if keeps_a_snapshot:
        first.snapshot()
    world.post(*range(30, 40))
    drained(first)
    world.post(*range(40, 60))
    drained(world.worker())
    steady.post(*range(60))
    drained(steady.worker())
    assert snapshots(world) == snapshots(steady)


def test_a_new_policys_windows_are_filled_from_history_before_it_decides() -> None:
    world = World()
    worker = world.worker()
    world.post(*range(30))
    drained(worker)
    publish(world.store.policies, WIDER, 1)
    world.post(30)
    drained(worker)
    record = world.records()[-1]
    features = np.frombuffer(record.decision.snapshot, "<f8")
    assert features[1] == 10, "customer.count_1d of c0, from before there was such a feature"


def test_a_policy_that_cannot_be_read_leaves_the_one_in_force() -> None:
    world = World()
    worker = drained(world.worker())
    world.store.policies.publish("newer", "this = [is not a policy", 2)
    world.post(1)
    drained(worker)
    assert world.records()[0].decision.policy_version != "newer"
