"""Looking up a transaction wherever it is, and mending a dead letter."""

from __future__ import annotations

from typing import Any

import pytest

from shroff.codec import encode_transaction
from shroff.core.errors import Rejected
from shroff.flows.dead_letters import letter_members, mend
from shroff.flows.ingest import entry_of
from shroff.flows.lookup import SnapshotNames, lookup
from tests.core.samples import START, policy, transaction
from tests.flows.pipeline import Pipeline


def found(pipeline: Pipeline, transaction_id: str) -> dict[str, Any] | None:
    store = pipeline.store
    return lookup(
        transaction_id, pipeline.queue, store.ledger, store.dead_letters, SnapshotNames(store.policies)
    )


def test_a_decided_transaction_is_shown_with_its_decision_and_features() -> None:
    pipeline = Pipeline()
    pipeline.store.lists.add("blocked", [("ann", None)])
    pipeline.run([transaction(1, 500, 123_45, customer_id="ann", attributes={"tip": 3})])
    answer = found(pipeline, "t1")
    assert answer is not None
    assert answer["status"] == "decided"
    assert answer["transaction"] == {
        "transaction_id": "t1", "amount": "123.45", "currency": "USD", "timestamp": START / 1000 + 0.5,
        "customer_id": "ann", "tip": 3,
    }  # fmt: skip
    decision = answer["decision"]
    assert (decision["outcome"], decision["score"]) == ("decline", 0.9)
    assert decision["features"]["customer.count_5m"] == 0
    assert decision["features"]["card.count_1h"] is None
    assert decision["features"]["list.blocked"] is True
    assert decision["decided_at"].endswith("Z")


def test_a_decision_is_read_with_the_policy_it_was_made_with() -> None:
    pipeline = Pipeline()
    pipeline.run([transaction(1, customer_id="ann")])
    document = 'name = "bare"'
    pipeline.store.policies.publish(policy(document).version, document, 9)
    answer = found(pipeline, "t1")
    assert answer is not None
    assert "customer.count_5m" in answer["decision"]["features"]


def test_an_accepted_transaction_waits() -> None:
    pipeline = Pipeline()
    pipeline.accept([transaction(1)])
    answer = found(pipeline, "t1")
    assert answer is not None
    assert (answer["status"], answer["transaction"]["amount"]) == ("accepted", "10.00")


def test_a_dead_letter_shows_its_body_and_what_went_wrong() -> None:
    pipeline = Pipeline()
    pipeline.spoil("bad", b'{"x": \xff')
    pipeline.work()
    answer = found(pipeline, "bad")
    assert answer is not None
    assert (answer["status"], answer["body"]) == ("dead_lettered", '{"x": \ufffd')
    [failure] = answer["failures"]
    assert failure["cause"].startswith("not a stored transaction")
    letter = pipeline.store.dead_letters.get("bad")
    assert letter is not None
    assert letter_members(letter)["state"] == "dead"


def test_what_was_never_accepted_is_not_found() -> None:
    assert found(Pipeline(), "t1") is None


def test_a_dead_letter_is_mended_with_a_transaction_of_the_same_id() -> None:
    mended = mend("t1", b'{"transaction_id": "t1", "amount": "1.5", "timestamp": 5}', "EUR")
    assert (mended.amount_minor, mended.currency) == (150, "EUR")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"transaction_id": "t2", "amount": 1, "timestamp": 5}', 'holds transaction "t2", not "t1"'),
        (b'{"transaction_id": "t1", "timestamp": 5}', "Missing required field: amount"),
        (b"{", "Invalid JSON"),
    ],
)
def test_a_dead_letter_is_not_mended_with_something_else(content: bytes, told: str) -> None:
    with pytest.raises(Rejected, match=told):
        mend("t1", content, "USD")


def test_a_mended_dead_letter_is_decided_as_if_it_had_come_that_way() -> None:
    pipeline, straight = Pipeline(), Pipeline()
    pipeline.spoil("t1")
    pipeline.work()
    whole = mend("t1", b'{"transaction_id": "t1", "amount": 7, "timestamp": 5, "customer_id": "ann"}', "USD")
    assert pipeline.store.dead_letters.edit("t1", encode_transaction(whole))
    assert pipeline.store.dead_letters.redrive(["t1"], 9) == 1
    [message] = pipeline.store.ledger.due(9, 10)
    straight.accept([whole])
    [(_, _, mended)] = pipeline.detect([message]).decided
    [(_, _, expected)] = straight.detect(straight.queue.read(0, 1)).decided
    assert (mended.snapshot, mended.outcome, mended.score) == (
        expected.snapshot,
        expected.outcome,
        expected.score,
    )


def test_the_same_content_gives_the_same_bytes_however_it_was_written() -> None:
    one = (
        b'{"transaction_id": "t", "amount": 1.50, "timestamp": 5.0, "tip": 2.0, "ip": "", "b": 1, "a": true}'
    )
    two = b'{"a":true,"b":1,"tip":2,"timestamp":5,"amount":"1.5","transaction_id":"t","currency":"USD"}'
    first, second = (entry_of(body, currency="USD", received_at=1) for body in (one, two))
    assert first.body == second.body
    third = entry_of(two.replace(b"1.5", b"1.51"), currency="USD", received_at=1)
    assert third.body != first.body
