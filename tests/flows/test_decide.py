"""Deciding where many workers share the state: the same decisions, each once, whoever comes in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.adapters.memory import MemoryStore
from shroff.core.alert import Alert
from shroff.core.decision import Decision
from shroff.core.errors import Contended, Repeated, Retryable
from shroff.core.transaction import Transaction
from shroff.flows.decide import Outcome, decide, decide_each
from shroff.ports import Message, Part, Work
from tests.core.samples import policy, streams, transaction
from tests.flows.pipeline import Pipeline, entry

POLICY = policy()


class Store(MemoryStore):
    """A store before whose commits others may come."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Callable[[], object]] = []
        self.attempts = 0

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        return self.entities.load(generation, entities)

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        self.attempts += 1
        if self.before:
            self.before.pop()()
        return self.entities.commit(generation, work, states)

    def turn(self) -> int | None:
        raise NotImplementedError

    def learn(self, generation: str, uptake: object, states: object) -> None:
        raise NotImplementedError

    def fill(self, generation: str, states: object, clock: int) -> None:
        raise NotImplementedError


def message(of: Transaction) -> Message:
    accepted = entry(of)
    return Message(seq=5, transaction_id=accepted.transaction_id, body=accepted.body, received_at=5)


def decided(store: Store, transactions: Sequence[Transaction], pauses: list[int] | None = None) -> Outcome:
    return decide(
        [message(each) for each in transactions],
        policy=POLICY,
        entities=store,
        lists=store.lists,
        clock=lambda: 1_700_000_000_000,
        pause=([] if pauses is None else pauses).append,
    )


def essence(decisions: Sequence[Decision]) -> dict[str, tuple[object, ...]]:
    return {
        each.transaction_id: (each.outcome, each.score, each.reasons, each.snapshot, each.policy_version)
        for each in decisions
    }


def kept(store: Store) -> list[Decision]:
    return [record.decision for some in store.ledger.history() for record in some]


@given(streams, st.integers(1, 12))
def test_decisions_are_those_of_one_worker_to_the_byte(stream: list[Transaction], size: int) -> None:
    alone, store = Pipeline(), Store()
    alone.run(stream)
    for start in range(0, len(stream), size):
        decided(store, stream[start : start + size])
    assert essence(kept(store)) == essence(alone.decisions())


@given(streams, st.data())
def test_whoever_comes_in_between_is_seen_and_nothing_is_decided_twice(
    stream: list[Transaction], data: st.DataObject
) -> None:
    store, cut = Store(), data.draw(st.integers(0, len(stream)))
    mine, theirs = stream[:cut], stream[data.draw(st.integers(0, cut)) :]
    if theirs:
        store.before = [lambda: decided(store, theirs)]
    decided(store, mine)
    decided(store, theirs)
    names = [each.transaction_id for each in kept(store)]
    assert sorted(names) == sorted({each.transaction_id for each in (*mine, *theirs)})
    # Along every entity the records have an order, and in that order one worker decides the same.
    records = sorted((r for some in store.ledger.history() for r in some), key=lambda r: r.seq)
    alone = Pipeline()
    alone.run([record.transaction for record in records])
    assert essence([record.decision for record in records]) == essence(alone.decisions())


def test_a_loser_pauses_and_decides_from_what_the_winner_left() -> None:
    store, pauses = Store(), list[int]()
    first, second = (transaction(n, n, customer_id="ann") for n in range(2))
    store.before = [lambda: decided(store, [first])]
    outcome = decided(store, [second], pauses)
    assert pauses == [1]
    ((_, _, decision),) = outcome.work.decided
    alone = Pipeline()
    alone.run([first, second])
    assert essence([decision]).items() <= essence(alone.decisions()).items()


def test_where_there_is_no_time_for_another_attempt_nothing_is_kept() -> None:
    store = Store()
    first, second = (transaction(n, n, customer_id="ann") for n in range(2))
    store.before = [lambda: decided(store, [first])]

    def pause(_: int) -> None:
        raise Contended("no time")

    with pytest.raises(Contended):
        decide(
            [message(second)], policy=POLICY, entities=store, lists=store.lists, clock=lambda: 1, pause=pause
        )
    assert [each.transaction_id for each in kept(store)] == [first.transaction_id]


def test_what_comes_again_is_said_to_be_settled_and_its_neighbours_are_decided() -> None:
    store, rows = Store(), [transaction(n, n, customer_id="ann") for n in range(4)]
    decided(store, rows[:2])
    outcome = decided(store, rows)
    assert set(outcome.work.settled) == {each.transaction_id for each in rows[:2]}
    assert len(kept(store)) == 4


def test_a_store_that_repeats_itself_without_end_is_a_bug_and_no_loop() -> None:
    store, row = Store(), transaction(1, 1)

    def again() -> None:
        raise Repeated(["somebody else"])

    store.before = [again, again]
    with pytest.raises(RuntimeError, match="still decided before"):
        decided(store, [row])


def test_what_cannot_be_read_is_left_to_be_buried_and_costs_no_commit() -> None:
    store = Store()
    bad = Message(seq=1, transaction_id="bad", body=b"{", received_at=5)
    outcome = decide(
        [bad], policy=POLICY, entities=store, lists=store.lists, clock=lambda: 7, pause=lambda _: None
    )
    assert [each.message.transaction_id for each in outcome.work.unsettled] == ["bad"]
    assert store.attempts == 0


@given(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=30), st.sets(st.integers(0, 99)))
def test_one_that_fails_takes_no_other_with_it(numbers: list[int], poison: set[int]) -> None:
    done: list[int] = []

    def some(messages: Sequence[Message]) -> Outcome:
        found = [each.seq for each in messages]
        if poison & set(found):
            raise Retryable("poison")
        done.extend(found)
        return Outcome(work=Work())

    messages = [Message(seq=n, transaction_id=str(n), body=b"", received_at=1) for n in numbers]
    _, failed = decide_each(messages, some)
    assert [each.seq for each, _ in failed] == [n for n in numbers if n in poison]
    assert done == [n for n in numbers if n not in poison]


def test_what_is_contended_is_not_halved() -> None:
    calls: list[int] = []

    def some(messages: Sequence[Message]) -> Outcome:
        calls.append(len(messages))
        raise Contended("no time")

    messages = [Message(seq=n, transaction_id=str(n), body=b"", received_at=1) for n in range(8)]
    _, failed = decide_each(messages, some)
    assert (calls, len(failed)) == ([8], 8)
