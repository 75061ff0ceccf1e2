"""Learning labels where many workers share the state: what one worker learns, once, whatever happens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from threading import Thread
from typing import Any

import numpy as np
import pytest

from shroff.adapters.aws.intermission import PAUSED, RESUMED
from shroff.adapters.aws.store import AwsStore
from shroff.adapters.memory import MemoryStore
from shroff.codec import decision_members, encode_transaction
from shroff.core.alert import Alert
from shroff.core.columns import Batch
from shroff.core.errors import Contended, Retryable, TooLarge
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows.backtest.sides import States
from shroff.flows.decide import decide, generation_of
from shroff.flows.learn import InTime
from shroff.flows.learn_shared import LearnPorts, Progress, learn_pending
from shroff.flows.publish import publish
from shroff.flows.refill import refill
from shroff.flows.replay import replay
from shroff.ports import Due, Label, Message, Part, Source, Uptake, Work
from tests.adapters.aws_cloud import cloud
from tests.core.samples import DAY, HOUR, START, transaction
from tests.flows.test_learn import POLICY, WIDER, World, at, hourly

Store = Any
"""The memory twin, or what AWS keeps."""


class Entities:
    """Those of a store; something may happen before and after what they commit."""

    def __init__(self, store: Store) -> None:
        self.kept = store.entities
        self.before: list[Callable[[], object]] = []
        self.after: list[Callable[[], object]] = []
        self.most = 100
        self.learned: list[int] = []

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        return list(self.kept.load(generation, entities))

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        return list(self.kept.commit(generation, work, states))

    def fill(self, generation: str, states: Any, clock: int) -> None:
        self.kept.fill(generation, states, clock)

    def turn(self) -> int | None:
        turn: int | None = self.kept.turn()
        return turn

    def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
        if len(states) + len(uptake.learned) + len(uptake.passed) > self.most:
            raise TooLarge("too much")
        if self.before:
            self.before.pop()()
        self.kept.learn(generation, uptake, states)
        self.learned.append(len(uptake.learned))
        if self.after:
            self.after.pop()()


class Shared:
    """Workers that share a store, and one that looks back, all by one clock."""

    def __init__(self, store: Store, document: str = POLICY) -> None:
        self.store, self.entities = store, Entities(store)
        self.policy, _ = publish(store.policies, document, 0)
        self.now, self.labels = START, 0

    def decide(self, rows: Sequence[Transaction]) -> None:
        decide(
            [Message(seq=1, transaction_id=each.transaction_id, body=encode_transaction(each), received_at=5)
             for each in rows],
            policy=self.policy,
            entities=self.store.entities,
            lists=self.store.lists,
            clock=lambda: self.now,
            pause=lambda _: None,
        )  # fmt: skip

    def label(self, number: int, known_at: int, fraud: bool = True, source: Source = "analyst") -> None:
        self.labels += 1
        self.store.labels.add([
            Label(transaction_id=f"t{number}", fraud=fraud, source=source, known_at=known_at,
                  received_at=START + self.labels)
        ])  # fmt: skip

    def look_back(self, now: int, **ports: Any) -> Progress:
        """What looks back and learns what is known by now."""
        self.now = now
        asked = {"labels": self.store.labels, "entities": self.entities, "policy": lambda: self.policy}
        return learn_pending(
            LearnPorts(**(asked | ports), clock=lambda: self.now, pause=self._pause), lambda: True
        )

    @staticmethod
    def _pause(attempt: int) -> None:
        if attempt > 5:
            raise Contended("no time")

    def decisions(self) -> dict[str, tuple[Any, ...]]:
        return {
            each.decision.transaction_id: (each.decision.outcome, each.decision.snapshot)
            for some in self.store.ledger.history()
            for each in some
        }

    def seen(self, name: str, transaction_id: str) -> Any:
        record = self.store.ledger.find(transaction_id)
        return decision_members(record.decision, self.policy.snapshot_names)["features"][name]

    def frauds_at(self, hour: float, number: int = 900) -> Any:
        """How many frauds are known of the shop to one that pays there then."""
        self.decide([transaction(number, int(hour * HOUR), customer_id="zoe", merchant="shop")])
        return self.seen("merchant.fraud_count_7d", f"t{number}")


@pytest.fixture(params=["memory", "aws"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        with cloud() as environment:
            yield environment()


def storm(shared: Shared, seed: int, batches: int = 8) -> World:
    """One worker and many meet the same: transactions in batches, and between them labels become known."""
    source, alone, count = random.Random(seed), World(), 0
    for _ in range(batches):
        size = source.randrange(1, 12)
        rows = [
            transaction(
                count + n, (count + n) * HOUR,
                customer_id=source.choice(["ann", "bob", None]),
                merchant=source.choice(["shop", "bar", None]), amount=source.choice([100, 1000, 100000]),
            )
            for n in range(size)
        ]  # fmt: skip
        alone.run(rows, batch=source.choice([1, 4, 50]))
        shared.decide(rows)
        count += size
        for _ in range(source.randrange(8)):
            about, known_at = source.randrange(count), at(count - 1) + source.randrange(1, HOUR)
            fraud, who = source.random() < 0.6, source.choice(["analyst", "customer"])
            alone.label(about, known_at, fraud, who)  # type: ignore[arg-type]
            shared.label(about, known_at, fraud, who)  # type: ignore[arg-type]
        shared.look_back(at(count))
    return alone


@pytest.mark.parametrize("seed", range(4))
def test_labels_that_become_known_between_batches_are_learned_as_by_one_worker(
    store: Store, seed: int
) -> None:
    shared = Shared(store)
    alone = storm(shared, seed)
    found = {
        each.decision.transaction_id: (each.decision.outcome, each.decision.snapshot)
        for some in alone.store.ledger.history()
        for each in some
    }
    assert shared.decisions() == found
    assert any(alone.seen("merchant.fraud_run_30d"))


@pytest.mark.parametrize("seed", range(2))
def test_every_decision_is_made_again_with_the_labels_that_it_saw(store: Store, seed: int) -> None:
    shared = Shared(store)
    storm(shared, seed)
    learned = store.labels.counts()["learned"]
    assert learned > 5
    records = [each for some in store.ledger.history() for each in some]
    for record in records[::4]:
        found = replay(record, shared.policy, store.ledger, store.labels, in_order=False)
        assert found.same, found.differences()
    without = [replay(each, shared.policy, store.ledger, in_order=False).same for each in records]
    assert not all(without)


@pytest.mark.parametrize("seed", range(2))
def test_other_windows_are_filled_with_what_was_learned(store: Store, seed: int) -> None:
    shared = Shared(store)
    alone = storm(shared, seed)
    refill(read_policy(WIDER), store.ledger, store.labels, store.entities)
    shared.policy = read_policy(WIDER)
    publish(alone.store.policies, WIDER, 1)
    rows = hourly(range(200, 204))
    # What became known after the last batch: one worker learns it on the way, many when they look back.
    shared.look_back(at(199))
    alone.run(rows)
    shared.decide(rows)
    for each in rows:
        record = alone.store.ledger.find(each.transaction_id)
        assert record is not None
        assert shared.decisions()[each.transaction_id][1] == record.decision.snapshot


@pytest.mark.parametrize("seed", range(2))
def test_a_backtest_learns_each_label_when_it_was_known(store: Store, seed: int) -> None:
    shared = Shared(store)
    storm(shared, seed)
    states = States([shared.policy], store.labels, in_order=False)
    for records in store.ledger.between(0, START + 400 * DAY):
        batch = Batch.of([each.transaction for each in records])
        features = states.observe(records, batch)[shared.policy.state_key]
        stored = [np.frombuffer(each.decision.snapshot, "<f8")[: features.shape[1]] for each in records]
        np.testing.assert_array_equal(features, stored)


def test_a_backtest_learns_no_label_before_its_own_transaction() -> None:
    store = MemoryStore()
    shared = Shared(store)
    shared.label(1, known_at=at(0))
    shared.decide(hourly(range(3)))
    shared.look_back(at(3))
    (learned,) = InTime(store.labels).learned(0, 10)
    assert (learned.place, learned.before) == (1, at(1) + 1)


def test_a_label_is_learned_once_it_is_known_and_never_before(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(2)))
    shared.label(0, known_at=at(3))
    assert shared.look_back(at(3) - 1) == Progress()
    assert shared.frauds_at(2.5) == 0
    assert shared.look_back(at(3)) == Progress(learned=1)
    assert shared.frauds_at(3.5, 901) == 1
    assert shared.look_back(at(4)) == Progress()


def test_a_word_that_says_nothing_new_is_passed_and_a_new_one_is_learned(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))
    shared.label(0, at(3), source="customer")
    assert shared.look_back(at(4)) == Progress(learned=1, passed=1)
    shared.label(0, at(2) + 1, fraud=False, source="chargeback")
    assert shared.look_back(at(5)) == Progress(passed=1), "older than the last word"
    shared.label(0, at(5), fraud=False)
    assert shared.look_back(at(6)) == Progress(learned=1)


def test_a_label_that_came_first_waits_for_its_transaction_and_is_looked_for_less_and_less(
    store: Store,
) -> None:
    shared, looked = Shared(store), list[int]()
    shared.label(0, known_at=START)
    for minutes in range(0, 60 * 24 * 9, 5):
        if shared.look_back(START + minutes * 60_000).waiting:
            looked.append(minutes)
    gaps = [later - sooner for sooner, later in pairwise(looked)]
    assert gaps == sorted(gaps)
    assert len(looked) < 40
    assert gaps[-1] == 24 * 60
    shared.decide(hourly([0]))
    assert shared.look_back(START + 11 * DAY).learned == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_place_learns_every_label_once(store: Store, when: str) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(40)))
    for number in range(40):
        shared.label(number, at(40))

    def crash() -> None:
        raise KeyboardInterrupt

    getattr(shared.entities, when).append(crash)
    with suppress(KeyboardInterrupt):
        shared.look_back(at(41))
    assert shared.look_back(at(41)).learned == (40 if when == "before" else 15)
    assert shared.frauds_at(42) == 40


def test_of_two_who_look_back_at_once_each_label_is_learned_by_one(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(60)))
    for number in range(60):
        shared.label(number, at(60))
    shared.now, done = at(61), list[Progress]()
    both = [Thread(target=lambda: done.append(shared.look_back(at(61)))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    shared.look_back(at(61))
    assert sum(shared.entities.learned) == 60
    assert store.labels.counts()["learned"] == 60
    assert shared.frauds_at(62) == 60


def test_who_decides_in_between_is_not_written_over(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))
    shared.entities.before.append(lambda: shared.decide(hourly([3])))
    assert shared.look_back(at(4)).learned == 1
    shared.decide(hourly([5]))
    assert shared.seen("merchant.count_1d", "t5") == 3
    assert shared.seen("merchant.fraud_count_7d", "t5") == 1


def test_more_labels_than_one_commit_holds_are_learned_in_several(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(5)))
    for number in range(5):
        for source in ("analyst", "customer", "chargeback"):
            for step in range(3):
                shared.label(number, at(5) + step, bool(step % 2), source)
    shared.entities.most = 6
    done = shared.look_back(at(6))
    assert (done.learned, done.learned + done.passed) == (15, 45)
    assert len(shared.entities.learned) > 10


def test_a_label_that_cannot_be_learned_takes_no_other_with_it(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(8)))
    for number in range(8):
        shared.label(number, at(8))

    class Poisoned:
        def __getattr__(self, name: str) -> Any:
            return getattr(store.labels, name)

        def due_of(self, ids: Sequence[str], now: int) -> tuple[list[Due], list[Label]]:
            if "t3" in ids:
                raise ValueError("unreadable")
            found: tuple[list[Due], list[Label]] = store.labels.due_of(ids, now)
            return found

    assert shared.look_back(at(9), labels=Poisoned()) == Progress(learned=7, failed=1)
    assert shared.look_back(at(9), labels=Poisoned()) == Progress(), "it is put off"
    assert shared.look_back(at(60)) == Progress(learned=1), "once its cause is gone"


def test_where_the_world_fails_nothing_is_put_off(store: Store) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))

    def fail() -> None:
        raise Retryable("throttled")

    shared.entities.before.append(fail)
    with pytest.raises(Retryable, match="throttled"):
        shared.look_back(at(3))
    assert shared.look_back(at(3)).learned == 1


def test_labels_of_which_others_write_the_parts_again_and_again_are_left_to_the_next_run(
    store: Store,
) -> None:
    shared = Shared(store)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))
    numbers = iter(range(10, 60))

    class Busy(Entities):
        def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
            shared.decide(hourly([next(numbers)]))
            super().learn(generation, uptake, states)

    assert shared.look_back(at(3), entities=Busy(store)) == Progress(left=1)
    assert shared.look_back(at(3)).learned == 1


def test_where_no_feature_asks_for_labels_they_wait_and_nothing_is_read() -> None:
    store = MemoryStore()
    shared = Shared(store, '[entities]\nmerchant = "merchant"\n[features]\nmerchant = ["count_1d"]')
    shared.label(0, at(1))
    assert shared.look_back(at(3), labels=None, entities=None) == Progress()
    shared.policy = read_policy(POLICY)
    shared.decide(hourly(range(2)))
    assert shared.look_back(at(3)).learned == 1


@pytest.fixture
def stack() -> Iterator[AwsStore]:
    with cloud() as environment:
        yield environment()


def test_while_deciding_stands_still_nothing_is_learned(stack: AwsStore) -> None:
    shared = Shared(stack)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))
    stack.schedule.done(PAUSED, at(2))
    assert shared.look_back(at(3)) == Progress()
    stack.schedule.done(RESUMED, at(4))
    assert shared.look_back(at(5)) == Progress(learned=1)


@pytest.mark.parametrize("before", [False, True])
def test_what_was_begun_before_deciding_stood_still_is_not_committed_after(
    stack: AwsStore, before: bool
) -> None:
    shared = Shared(stack)
    shared.decide(hourly(range(2)))
    shared.label(0, at(2))
    if before:
        stack.schedule.done(PAUSED, at(0))
        stack.schedule.done(RESUMED, at(1))
    shared.entities.before.append(lambda: stack.schedule.done(PAUSED, at(2)))
    assert shared.look_back(at(3)) == Progress()
    assert stack.labels.counts()["learned"] == 0
    assert shared.entities.load("g", [("merchant", "shop")])[0].state is None


def test_a_hot_entity_in_parts_remembers_every_label_of_all_of_them(stack: AwsStore) -> None:
    shared, shop = Shared(stack), [("merchant", "shop")]
    shared.decide(hourly(range(30)))
    (part,) = stack.entities.load(generation_of(shared.policy), shop)
    for _ in range(2):
        stack.entities._split(generation_of(shared.policy), part)
    for number in range(30):
        shared.label(number, at(30) + number, fraud=number % 5 != 0)
        shared.look_back(at(30) + number)
        if number % 7 == 0:  # deciding writes parts as well, and is to forget no label of them
            shared.decide(hourly([40 + number]))
    parts = stack.entities.load(generation_of(shared.policy), shop)
    assert len(parts[0].others) > 1
    shared.decide(hourly([100]))
    assert shared.seen("merchant.labelled_count_7d", "t100") == 30
    assert shared.seen("merchant.fraud_count_7d", "t100") == 24
    assert shared.seen("merchant.fraud_run_30d", "t100") == 4
