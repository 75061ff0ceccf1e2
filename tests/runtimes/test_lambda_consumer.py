"""The queue's consumer: what it says has failed comes again, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shroff.core.errors import Contended, Damaged, Rejected, Retryable
from shroff.ports import Message, Work
from tests.api.served import POLICY, example
from tests.runtimes.events import event
from tests.runtimes.twins import Stack, record


@pytest.fixture
def stack() -> Stack:
    return Stack(POLICY)


def accept(stack: Stack, *names: str, **members: Any) -> list[Message]:
    for name in names:
        body = json.dumps(example(transaction_id=name, **members)).encode()
        assert stack.api.answer(event("POST", "/transactions", body))["statusCode"] == 202
    found = [stack.queue.find(name) for name in names]
    return [each for each in found if each is not None]


def fail_for(stack: Stack, name: str, error: Exception) -> None:
    def refuse(work: Work) -> None:
        if any(decision.transaction_id == name for _, _, decision in work.decided):
            raise error

    stack.entities.before_commit = refuse


def decided(stack: Stack, *names: str) -> bool:
    return all(stack.store.ledger.find(name) is not None for name in names)


def test_a_batch_is_decided_and_nothing_comes_again(stack: Stack):
    messages = accept(stack, "a", "b", "c", amount=5000)
    assert stack.consume(*map(record, messages)) == []
    assert decided(stack, "a", "b", "c")
    counted = stack.counted()
    assert [counted[name] for name in ("Decided", "Decided.review", "Failed", "BatchAge")] == [3, 3, 0, 3]


def test_new_alerts_are_told_once(stack: Stack):
    messages = accept(stack, "a", amount=5000)
    stack.consume(*map(record, messages))
    stack.consume(*map(record, messages))
    assert len(stack.told) == 1
    assert stack.counted()["Alerts"] == 1


def test_poison_takes_no_neighbour_with_it(stack: Stack):
    messages = accept(stack, *(f"t-{number}" for number in range(10)))
    fail_for(stack, "t-6", ZeroDivisionError("a bug"))
    assert stack.consume(*map(record, messages)) == ["sqs-t-6"]
    assert decided(stack, *(f"t-{number}" for number in range(10) if number != 6))
    assert stack.failing.noted == [("t-6", False)]
    assert not stack.failing.buried


def test_the_failure_of_each_attempt_is_kept(stack: Stack):
    (message,) = accept(stack, "a")
    fail_for(stack, "a", Retryable("the table is busy"))
    assert stack.consume(record(message)) == ["sqs-a"]
    (kept,) = stack.store.ledger.due(2**62, 10)
    assert [each.cause for each in kept.failures] == ["the table is busy"]


def test_the_last_attempt_marks_it_dead_and_leaves_the_moving_to_the_queue(stack: Stack):
    (message,) = accept(stack, "a")
    fail_for(stack, "a", ZeroDivisionError("a bug"))
    assert stack.consume(record(message, receives=3)) == ["sqs-a"]
    assert stack.failing.noted == [("a", True)]
    letter = stack.store.dead_letters.get("a")
    assert letter is not None
    assert letter.message.failures[-1].cause == "ZeroDivisionError: a bug"
    assert stack.counted()["DeadLettered"] == 1


def test_what_cannot_be_read_is_buried_with_its_cause_and_does_not_come_again(stack: Stack):
    (good,) = accept(stack, "good")
    bad = Message(seq=1, transaction_id="bad", body=b'{"amount": "x"}', received_at=0)
    assert stack.consume(record(bad), record(good)) == []
    assert decided(stack, "good")
    letter = stack.store.dead_letters.get("bad")
    assert letter is not None
    assert "not a stored transaction" in letter.message.failures[-1].cause


def test_what_is_rejected_on_the_way_is_buried(stack: Stack):
    (message,) = accept(stack, "a")
    fail_for(stack, "a", Rejected([]))
    assert stack.consume(record(message)) == []
    assert stack.failing.buried == ["a"]


def test_state_that_is_damaged_buries_no_message(stack: Stack):
    (message,) = accept(stack, "a")
    fail_for(stack, "a", Damaged([]))
    assert stack.consume(record(message)) == ["sqs-a"]
    assert not stack.failing.buried
    assert stack.failing.noted == [("a", False)]


def test_a_record_that_cannot_even_be_looked_at_fails_alone(stack: Stack):
    (good,) = accept(stack, "good")
    strange = {"messageId": "sqs-strange", "body": "?"}
    assert stack.consume(strange, record(good)) == ["sqs-strange"]
    assert decided(stack, "good")


def test_contention_puts_back_and_counts_no_attempt(stack: Stack):
    messages = accept(stack, "a", "b")
    fail_for(stack, "a", Contended("another worker was first"))
    moments = iter([30_000, *range(20_000, 0, -1_000), *[0] * 100])
    again = stack.consumer.consume([record(each) for each in messages], lambda: next(moments))
    assert again == []
    assert sorted(stack.failing.returned) == ["a", "b"]
    assert not stack.failing.noted
    counted = stack.counted()
    assert counted["PutBack"] == 2
    assert counted["Contended"] >= 1


def test_attempts_between_others_wait_longer_and_longer_but_never_long(stack: Stack):
    (message,) = accept(stack, "a")
    times = iter(range(30))

    def first_by_others(_: Work) -> None:
        if next(times) < 20:
            raise Contended("another worker was first")

    stack.entities.before_commit = first_by_others
    assert stack.consume(record(message)) == []
    assert decided(stack, "a")
    assert len(stack.pauses) == 20
    assert max(stack.pauses) <= 1.0
    assert len(set(stack.pauses)) == 20


def test_what_was_discarded_is_done_whatever_a_stray_duplicate_meets(stack: Stack):
    (message,) = accept(stack, "a")
    stack.bury("a", "no")
    stack.store.dead_letters.discard(["a"])
    for error in (Retryable("busy"), Rejected([])):
        fail_for(stack, "a", error)
        assert stack.consume(record(message)) == []
    assert (stack.failing.buried, stack.failing.noted) == ([], [])
    assert stack.counted()["DeadLettered"] == 0


class Killed(BaseException):
    """What no code sees: the process is gone."""


def test_what_kills_its_process_takes_no_neighbour_to_the_dead_letters(stack: Stack):
    names = [f"t-{number}" for number in range(6)]
    messages = accept(stack, *names)
    fail_for(stack, "t-2", Killed())  # type: ignore[arg-type]
    for receives in (1, 2, 3):
        with pytest.raises(Killed):
            stack.consume(*(record(each, receives=receives) for each in messages))
    assert [name for name in names if not decided(stack, name)] == ["t-2"]


def test_what_comes_for_the_first_time_is_a_batch_and_what_comes_again_stands_alone(stack: Stack):
    sizes: list[int] = []
    stack.entities.before_commit = lambda work: sizes.append(len(work.decided))
    old, new = accept(stack, "a", "b"), accept(stack, "c", "d", "e")
    stack.consume(*(record(each, receives=2) for each in old), *map(record, new))
    assert sizes == [3, 1, 1]
    assert decided(stack, *"abcde")


@pytest.mark.parametrize(("left", "told"), [(11_000, 1), (7_999, 0)])
def test_without_time_alerts_are_left_to_the_sweep(stack: Stack, left: int, told: int):
    (message,) = accept(stack, "a", amount=5000)
    outcomes, _ = stack.decider.decide([message], lambda: left, reserve=0)
    assert (len(outcomes[0].new_alerts), len(stack.told)) == (1, told)


def test_an_attempt_begins_only_with_time_for_a_call_that_is_slow(stack: Stack):
    (message,) = accept(stack, "a")
    assert stack.consume(record(message), left=10_000) == []
    assert stack.failing.returned == ["a"]
    assert stack.consume(record(message), left=10_001) == []
    assert decided(stack, "a")


def test_without_time_nothing_is_begun(stack: Stack):
    messages = accept(stack, "a", "b")
    assert stack.consume(*map(record, messages), left=2_000) == []
    assert stack.failing.returned == ["a", "b"]
    assert not decided(stack, "a")


def test_redelivery_after_the_commit_changes_nothing(stack: Stack):
    messages = accept(stack, "a", "b")

    def cut_off(_: Work) -> None:
        raise TimeoutError("the answer was lost")

    stack.entities.after_commit = cut_off
    # It was committed, and nobody knows: the halves find out.
    assert stack.consume(*map(record, messages)) == []
    stack.entities.after_commit = lambda _: None
    before = [stack.store.ledger.find(name) for name in ("a", "b")]
    assert stack.consume(*(record(each, receives=2) for each in messages)) == []
    assert [stack.store.ledger.find(name) for name in ("a", "b")] == before
    assert stack.store.ledger.totals()["decided"] == 2


def test_two_deliveries_of_one_message_share_their_fate(stack: Stack):
    (message,) = accept(stack, "a")
    twice = record(message, record_id="first"), record(message, record_id="second")
    fail_for(stack, "a", Retryable("busy"))
    assert stack.consume(*twice) == ["first", "second"]
    stack.entities.before_commit = lambda _: None
    assert stack.consume(*twice) == []
    assert stack.store.ledger.totals()["decided"] == 1


def test_what_cannot_be_settled_comes_again(stack: Stack):
    bad = Message(seq=1, transaction_id="bad", body=b"?", received_at=0)
    stack.failing.trouble = Retryable("the dead-letter queue does not answer")
    assert stack.consume(record(bad)) == ["sqs-bad"]


def test_what_was_decided_by_others_after_all_need_not_come_again(stack: Stack):
    (message,) = accept(stack, "a")
    stack.consume(record(message))

    def lost(_: Work) -> None:
        raise ZeroDivisionError("after all")

    stack.entities.before_commit = lost
    assert stack.consume(record(message)) == []


def test_a_topic_that_fails_takes_no_decision_back(stack: Stack):
    def fail(_: object) -> int:
        raise PermissionError("not allowed to publish")

    stack.decider.ports = type(stack.decider.ports)(
        **{name: getattr(stack.decider.ports, name) for name in stack.decider.ports.__slots__}
        | {"tell": fail}
    )
    messages = accept(stack, "a", amount=5000)
    assert stack.consume(*map(record, messages)) == []
    assert decided(stack, "a")


def test_a_new_stack_begins_with_the_default_policy():
    stack = Stack(POLICY, published=False)
    messages = accept(stack, "a")
    assert stack.consume(*map(record, messages)) == []
    assert len(stack.store.policies.history()) == 1


def test_a_new_policy_is_in_force_within_two_seconds(stack: Stack):
    from shroff.flows.publish import publish

    at = 1_800_000_000_000
    stack.clock = lambda: at
    first = stack.decider.policy()
    publish(stack.store.policies, POLICY.replace("1000", "2000"), at)
    assert stack.decider.policy() is first
    at += 2_000
    assert stack.decider.policy().version != first.version


def test_without_a_policy_that_can_be_read_the_whole_batch_comes_again(stack: Stack):
    messages = accept(stack, "a")
    broken = Stack("", published=False)
    broken.store.policies.publish("v", "not a policy", 1)
    with pytest.raises(Retryable):
        broken.consume(*map(record, messages))
