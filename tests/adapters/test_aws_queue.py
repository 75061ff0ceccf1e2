"""What is particular about the queue on AWS: a table and SQS beside it, and messages that do not fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from shroff.adapters.aws.messages import Delivery, delivery_of
from shroff.adapters.aws.store import AwsStore
from shroff.core.errors import Retryable
from shroff.ports import Work
from tests.adapters.aws_cloud import cloud, session_clients
from tests.adapters.failing import failing
from tests.contracts.samples import decided, entry, retrying

Make = Callable[..., AwsStore]


@pytest.fixture
def make() -> Iterator[Make]:
    with cloud() as environment:
        yield environment


def received(store: AwsStore) -> list[dict[str, Any]]:
    """All that is on the queue, as SQS answers it."""
    sqs, found = session_clients().sqs, []
    while messages := sqs.receive_message(
        QueueUrl=store.cloud.names.queue_url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages"):
        found += messages
    return found


def sent(store: AwsStore) -> list[Delivery]:
    return store.queue.deliveries(received(store))


def test_what_is_accepted_is_handed_over_once_with_all_its_content(make: Make) -> None:
    store, names = make(), ["a\x00b", "Zoë", "日本", "x" * 128, "a b%20#"]
    store.queue.append([entry(name, name.encode(), received_at=9) for name in (*names, names[0])])
    found = {each.message.transaction_id: each for each in sent(store)}
    assert {name: each.message.body for name, each in found.items()} == {
        name: name.encode() for name in names
    }
    assert {(each.message.received_at, each.receives) for each in found.values()} == {(9, 1)}


@pytest.mark.parametrize("body", [b"x" * 250_000, b"\xff", "\uffff".encode(), b"", b"\x01"], ids=range(5))
def test_a_body_that_sqs_would_not_take_is_claimed_from_the_table(make: Make, body: bytes) -> None:
    store = make()
    store.queue.append([entry("a", body), *(entry(f"b-{n}", b"y" * 190_000) for n in range(3))])
    found = {each.message.transaction_id: each for each in sent(store)}
    assert found["a"].message.body == body
    assert not found["a"].claimed
    assert len(found) == 4


def test_what_was_put_and_not_sent_is_sent_when_it_comes_again(make: Make) -> None:
    store = make(failing(session_clients(), "sqs", "send_message_batch", after=False))
    with pytest.raises(Retryable):
        store.queue.append([entry("a")])
    assert sent(store) == []
    (receipt,) = store.queue.append([entry("a")])
    assert receipt.status == "repeated"
    assert [each.message.transaction_id for each in sent(store)] == ["a"]


def test_what_has_a_fate_is_not_sent_again(make: Make) -> None:
    store = make()
    item = decided("a")
    store.queue.append([entry("a", item[0].body), entry("b"), entry("c")])
    received(store)
    store.ledger.commit(Work(decided=[item], unsettled=[retrying("b", 9)]))
    receipts = store.queue.append([entry("a", item[0].body), entry("b"), entry("c"), entry("c", b"other")])
    assert [each.status for each in receipts] == ["repeated", "repeated", "repeated", "conflict"]
    assert [each.message.transaction_id for each in sent(store)] == ["c"]


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_put_without_an_answer_is_accepted_once(make: Make, after: bool) -> None:
    store = make(failing(session_clients(), "dynamodb", "put_item", after=after, times=2))
    for _ in range(2):
        with pytest.raises(Retryable):
            store.queue.append([entry("a")])
    store.queue.append([entry("a")])
    assert store.queue.ids(0, 9) == [(7, "a")]
    assert len(sent(store)) == 1


def test_a_lambda_s_event_is_read_like_an_answer_of_sqs(make: Make) -> None:
    store = make()
    store.queue.append([entry("a", b"{}")])
    (message,) = received(store)
    attributes = {
        name: {"stringValue": each["StringValue"], "dataType": each["DataType"]}
        for name, each in message["MessageAttributes"].items()
    }
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
    }
    assert delivery_of(record) == delivery_of(message)


def test_what_somebody_put_there_by_hand_is_named_by_sqs() -> None:
    record = {
        "messageId": "m-1",
        "receiptHandle": "h",
        "body": "hello",
        "attributes": {"SentTimestamp": "12"},
    }
    message = delivery_of(record).message
    assert (message.transaction_id, message.body, message.received_at) == ("sqs-m-1", b"hello", 12)


def test_messages_that_a_batch_did_not_take_are_sent_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, real, sizes = make(), session_clients().sqs.send_message_batch, []

    def half(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        sizes.append(len(Entries))
        taken = Entries[: (len(Entries) + 1) // 2]
        real(QueueUrl=QueueUrl, Entries=taken)
        left = Entries[len(taken) :]
        return {
            "Failed": [{"Id": each["Id"], "SenderFault": False, "Code": "InternalError"} for each in left]
        }

    monkeypatch.setattr(session_clients().sqs, "send_message_batch", half)
    store.queue.append([entry(f"txn-{n}") for n in range(8)])
    assert sizes == [8, 4, 2, 1]
    assert len(sent(store)) == 8


def test_the_position_waits_for_the_queue_and_then_for_what_settles(make: Make) -> None:
    store = make()
    now = store.cloud.clock()
    assert store.ledger.position() == now - 60_000
    store.queue.append([entry("a")])
    assert store.ledger.position() == 0
    received(store)
    assert store.ledger.position() == 0, "in flight"


def test_when_an_acceptance_fails_no_put_of_its_batch_is_left_behind(make: Make) -> None:
    """A thread that still writes when the answer is given is frozen with its function, and writes later."""
    ended: list[str] = []

    class Slow:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def put_item(self, **request: Any) -> Any:
            name = request["Item"].get("transaction_id", {}).get("S")
            if name == "bad":
                raise ReadTimeoutError(endpoint_url="https://aws.test")
            if name is not None:
                time.sleep(0.05)
                ended.append(name)
            return self._client.put_item(**request)

    clients = copy(session_clients())
    clients.dynamodb = Slow(clients.dynamodb)
    store = make(clients)
    with pytest.raises(Retryable):
        store.queue.append([entry("bad"), *(entry(f"t-{number}") for number in range(5))])
    assert len(ended) == 5


def test_a_page_of_many_ids_reads_of_each_shard_about_its_share(make: Make) -> None:
    asked: list[int | None] = []

    class Counted:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def query(self, **request: Any) -> Any:
            if request.get("IndexName") == "by-accepted":
                asked.append(request.get("Limit"))
            return self._client.query(**request)

    clients = copy(session_clients())
    clients.dynamodb = Counted(clients.dynamodb)
    store = make(clients)
    store.queue.append([entry("a"), entry("b")])
    assert len(store.queue.ids(0, 3_000)) == 2
    assert asked == [1_333] * 3
