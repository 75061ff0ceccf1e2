"""What is particular about dead letters on AWS: marks in the table, messages in a queue of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shroff.adapters.aws.backlog import backlog
from shroff.adapters.aws.messages import sqs_entry
from shroff.adapters.aws.store import AwsStore
from shroff.core.errors import Rejected
from shroff.ports import Failure, Message, Work
from tests.adapters.aws_cloud import cloud, session_clients
from tests.contracts.samples import decided, entry, failure, message

Make = Callable[..., AwsStore]


@pytest.fixture
def store() -> Iterator[AwsStore]:
    with cloud() as environment:
        yield environment()


def dead_on_sqs(store: AwsStore) -> int:
    return backlog(session_clients(), store.cloud.names.dlq_url)


def on_queue(store: AwsStore) -> int:
    return backlog(session_clients(), store.cloud.names.queue_url)


def moved_by_sqs(store: AwsStore, *messages: Message) -> None:
    """What SQS does by itself when a message was received too often."""
    entries = [sqs_entry(each, number) for number, each in enumerate(messages)]
    session_clients().sqs.send_message_batch(QueueUrl=store.cloud.names.dlq_url, Entries=entries)


def listed(store: AwsStore) -> list[tuple[str, list[str]]]:
    return [
        (each.message.transaction_id, [failure.cause for failure in each.message.failures])
        for each in store.dead_letters.all()
    ]


def test_what_is_buried_is_listed_and_in_the_dead_letter_queue_with_its_cause(store: AwsStore) -> None:
    store.queue.append([entry("a")])
    store.dead_letters.note(message("a", failure(5, "busy")), dead=False)
    assert listed(store) == []
    store.dead_letters.bury(message("a", failure(6, "not\x00readable")))
    assert listed(store) == [("a", ["busy", "not\x00readable"])]
    assert dead_on_sqs(store) == 1
    assert store.ledger.fates(["a"]) == {"a": "dead_lettered"}


def test_what_sqs_gave_up_by_itself_is_marked_when_somebody_looks(store: AwsStore) -> None:
    store.queue.append([entry("a"), entry("b")])
    moved_by_sqs(store, message("a"))
    assert listed(store) == [("a", ["received 3 times and never finished: see the function's log"])]
    assert listed(store) == listed(store)
    assert dead_on_sqs(store) == 1


def test_a_look_at_some_of_a_long_dead_letter_queue_ends(store: AwsStore) -> None:
    names = [f"t-{number}" for number in range(25)]
    store.queue.append([entry(name) for name in names])
    for some in (names[:10], names[10:20], names[20:]):
        moved_by_sqs(store, *map(message, some))
    store.dead_letters.find(10)
    assert list(store.ledger.fates(names).values()) == ["dead_lettered"] * 10
    assert dead_on_sqs(store) == 25
    for _ in range(3):
        store.dead_letters.find(100)
    assert len(store.ledger.fates(names)) == 25


def test_a_redriven_letter_leaves_the_dead_letter_queue(store: AwsStore) -> None:
    store.queue.append([entry("a"), entry("b")])
    for name in "ab":
        store.dead_letters.bury(message(name, failure(6)))
    before = on_queue(store)
    assert store.dead_letters.redrive(["a"], now=9) == 1
    assert (on_queue(store), dead_on_sqs(store)) == (before + 1, 1)
    assert store.dead_letters.discard(["b"]) == 1
    assert dead_on_sqs(store) == 0
    assert [(each.message.transaction_id, each.discarded) for each in store.dead_letters.all()] == [
        ("b", True)
    ]


def test_what_is_decided_is_no_dead_letter_whatever_the_queue_says(store: AwsStore) -> None:
    item = decided("a")
    store.queue.append([entry("a", item[0].body)])
    store.dead_letters.bury(message("a", failure(6)))
    store.ledger.commit(Work(decided=[item]))
    assert listed(store) == []
    assert dead_on_sqs(store) == 0
    assert store.dead_letters.get("a") is None
    assert store.dead_letters.redrive(["a"], now=9) == store.dead_letters.discard(["a"]) == 0
    store.dead_letters.bury(message("a", failure(7)))
    assert dead_on_sqs(store) == 0


def test_what_was_never_accepted_is_accepted_by_its_burial(store: AwsStore) -> None:
    record = {
        "messageId": "m-1",
        "receiptHandle": "h",
        "body": "hello",
        "attributes": {"SentTimestamp": "12"},
    }
    store.dead_letters.bury_unread(record, "no message of ours")
    assert listed(store) == [("sqs-m-1", ["no message of ours"])]
    assert store.queue.ids(0, 9) == [(12, "sqs-m-1")]
    assert store.queue.read(0, 9) == []


def test_the_timestamp_of_a_letter_that_can_be_read_is_not_changed(store: AwsStore) -> None:
    """It is half of a decision's key: a stale duplicate would be decided beside the edited one."""
    early, late = decided("a", 1_000), decided("a", 900_000)
    store.queue.append([entry("a", early[0].body)])
    store.dead_letters.bury(message("a", failure(6)))
    with pytest.raises(Rejected, match='the timestamp of "a" cannot be changed: discard it'):
        store.dead_letters.edit("a", late[0].body)
    letter = store.dead_letters.get("a")
    assert letter is not None
    assert letter.message.body == early[0].body
    assert store.dead_letters.edit("a", early[0].body.replace(b"9999", b"8888"))


@pytest.mark.parametrize("body", [b"?", decided("b", 7)[0].body], ids=["unreadable", "another's"])
def test_what_never_can_be_decided_as_it_is_may_get_any_timestamp(store: AwsStore, body: bytes) -> None:
    store.queue.append([entry("a", body)])
    store.dead_letters.bury(message("a", failure(6)))
    assert store.dead_letters.edit("a", decided("a", 900_000)[0].body)


def test_a_stray_duplicate_does_not_revive_what_was_discarded(store: AwsStore) -> None:
    store.queue.append([entry("a")])
    store.dead_letters.bury(message("a", failure(6)))
    store.dead_letters.discard(["a"])
    assert not store.dead_letters.note(message("a", failure(7)), dead=False)
    assert not store.dead_letters.note(message("a", failure(7)), dead=True)
    assert not store.dead_letters.bury(message("a", failure(7)))
    (letter,) = store.dead_letters.all()
    assert (letter.discarded, letter.died_at) == (True, 6)
    assert (dead_on_sqs(store), store.ledger.fates(["a"])) == (0, {"a": "dead_lettered"})


def test_of_a_long_cause_the_beginning_is_kept_once(store: AwsStore) -> None:
    long = Failure(at=5, cause="x" * 100_000)
    store.queue.append([entry("a")])
    store.dead_letters.note(message("a", long), dead=False)
    store.dead_letters.bury(message("a", long))
    assert listed(store) == [("a", ["x" * 500])]
