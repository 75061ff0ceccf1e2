"""Detecting: each message once, and one bad message costs its neighbours nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shroff.codec import encode
from shroff.core.transaction import Transaction
from shroff.ports import Message, Work
from tests.core.samples import START, streams, transaction
from tests.flows.pipeline import Pipeline


def ids(work: Work) -> list[str]:
    return [decision.transaction_id for _, _, decision in work.decided]


def messages_of(pipeline: Pipeline) -> list[Message]:
    return pipeline.queue.read(0, 1_000)


def test_every_message_is_decided_with_its_own_transaction() -> None:
    pipeline = Pipeline()
    pipeline.accept([transaction(1, customer_id="ann"), transaction(2, customer_id="bob")])
    work = pipeline.detect(messages_of(pipeline))
    assert ids(work) == ["t1", "t2"]
    for message, each, decision in work.decided:
        assert message.transaction_id == each.transaction_id == decision.transaction_id
    assert (work.unsettled, work.settled, work.position) == ([], [], None)


def test_a_message_twice_in_one_batch_is_decided_and_counted_once() -> None:
    pipeline = Pipeline()
    pipeline.accept([transaction(1, customer_id="ann"), transaction(2, 1, customer_id="ann")])
    first, second = messages_of(pipeline)
    work = pipeline.detect([first, first, second])
    assert ids(work) == ["t1", "t2"]
    assert work.settled == ["t1"]
    alone = Pipeline()
    alone.accept([transaction(1, customer_id="ann"), transaction(2, 1, customer_id="ann")])
    assert work.decided[1][2].snapshot == alone.detect(messages_of(alone)).decided[1][2].snapshot


def test_a_message_that_was_decided_before_is_settled_and_leaves_the_windows_alone() -> None:
    pipeline = Pipeline()
    pipeline.run([transaction(1, customer_id="ann")])
    before = pipeline.state.entities["customer"].chains.values.copy()
    work = pipeline.detect(messages_of(pipeline))
    assert (list(work.decided), work.settled) == ([], ["t1"])
    np.testing.assert_array_equal(pipeline.state.entities["customer"].chains.values, before)


def test_an_unreadable_body_is_dead_at_once_and_its_neighbours_are_decided() -> None:
    pipeline = Pipeline()
    pipeline.accept([transaction(1, customer_id="ann")])
    pipeline.spoil("t2", b'{"amount": 5}')
    pipeline.accept([transaction(3, 1, customer_id="ann")])
    work = pipeline.detect(messages_of(pipeline))
    assert ids(work) == ["t1", "t3"]
    [dead] = work.unsettled
    assert (dead.message.transaction_id, dead.due_at) == ("t2", None)
    [failure] = dead.message.failures
    assert failure.cause.startswith("not a stored transaction: ")
    assert failure.at == START
    untroubled = Pipeline()
    untroubled.accept([transaction(1, customer_id="ann"), transaction(3, 1, customer_id="ann")])
    expected = untroubled.detect(messages_of(untroubled))
    assert [each[2].snapshot for each in work.decided] == [each[2].snapshot for each in expected.decided]


def test_a_failure_is_added_to_those_before_it() -> None:
    pipeline = Pipeline()
    pipeline.spoil("t1")
    [message] = messages_of(pipeline)
    [once] = pipeline.detect([message]).unsettled
    [twice] = pipeline.detect([once.message]).unsettled
    assert [failure.at for failure in twice.message.failures] == [START, START + 1]


def test_the_second_transaction_of_a_batch_sees_the_first() -> None:
    pipeline = Pipeline()
    pipeline.run(transaction(number, number * 1000, customer_id="ann") for number in range(4))
    assert [decision.outcome for decision in pipeline.decisions()] == ["approve"] * 3 + ["challenge"]


def test_a_list_counts_from_when_it_is_filled_until_it_expires() -> None:
    pipeline = Pipeline()
    pipeline.store.lists.add("blocked", [("ann", START + 2)])
    for number in range(3):
        pipeline.run([transaction(number, 10**9 * number, customer_id="ann")])
    assert [decision.outcome for decision in pipeline.decisions()] == ["decline", "decline", "approve"]


def test_severe_decisions_raise_alerts_with_the_same_commit() -> None:
    pipeline = Pipeline()
    pipeline.store.lists.add("blocked", [("ann", None)])
    pipeline.run([transaction(1, customer_id="ann"), transaction(2, customer_id="bob")])
    [(_, alert)] = pipeline.store.alerts.after(0, 10)
    assert (alert.rule, alert.key, alert.transaction_id) == ("listed", "ann", "t1")


@given(streams, st.lists(st.integers(1, 50), min_size=1, max_size=3))
def test_batches_of_any_size_give_the_same_decisions_to_the_byte(
    stream: list[Transaction], sizes: list[int]
) -> None:
    found = []
    for size in (len(stream), 1, *sizes):
        pipeline = Pipeline()
        pipeline.store.lists.add("blocked", [("bob", None)])
        pipeline.run(stream, size)
        found.append([encode(replace(decision, decided_at=0)) for decision in pipeline.decisions()])
    assert all(each == found[0] for each in found)


def test_a_body_of_another_transaction_is_dead_at_once_and_nothing_is_decided_under_its_name() -> None:
    pipeline = Pipeline()
    pipeline.accept([transaction(1), transaction(2)])
    first, second = messages_of(pipeline)
    work = pipeline.detect([replace(first, body=second.body)])
    assert list(work.decided) == []
    [dead] = work.unsettled
    assert (dead.message.transaction_id, dead.due_at) == ("t1", None)
