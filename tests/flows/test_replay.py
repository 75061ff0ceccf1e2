"""Replay: a stored decision again, from history, to the byte."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

import shroff
from shroff.adapters.memory import MemoryStore
from shroff.codec import encode_transaction
from shroff.core.decision import Decision
from shroff.core.transaction import Transaction
from shroff.flows.decide import decide as decide_shared
from shroff.flows.publish import publish
from shroff.flows.replay import Replayed, replay
from shroff.ports import Message, Record
from tests.core.samples import DAY, DOCUMENT, HOUR, transaction
from tests.flows.pipeline import Pipeline

DEFAULT = (Path(shroff.__file__).parent / "policies" / "default.toml").read_text()


def disordered(seed: int, count: int = 200) -> list[Transaction]:
    """Random transactions, one in five of them late."""
    source = random.Random(seed)
    return [
        transaction(
            number,
            number * 200_000 - (source.randrange(2 * DAY) if source.random() < 0.2 else 0) + 3 * DAY,
            source.randrange(1, 200_000),
            currency=source.choice(["USD", "USD", "EUR", "XAF"]),
            customer_id=source.choice(["ann", "bob", "cas", None]),
            merchant=source.choice(["shop", "bar", None]),
            card_id=source.choice(["c1", "c2", "c3", None]),
            ip=source.choice(["1.1.1.1", "2.2.2.2"]),
            country=source.choice(["DE", "US"]),
            attributes=source.choice([None, {"tip": 12}, {"vip": True}]),
        )
        for number in range(count)
    ]


def ran(document: str, seed: int = 1) -> Pipeline:
    pipeline = Pipeline(document)
    for name in pipeline.policy.lists:
        pipeline.store.lists.add(name, [("bob", None), ("c2", None)])
    pipeline.run(disordered(seed), batch=37)
    return pipeline


def again(pipeline: Pipeline, transaction_id: str, **tampered: object) -> Replayed:
    record = pipeline.store.ledger.find(transaction_id)
    assert record is not None
    decision: Decision = replace(record.decision, **tampered)
    stored: Record = replace(record, decision=decision)
    return replay(stored, pipeline.policy, pipeline.store.ledger)


@pytest.mark.parametrize(("document", "seed"), [(DOCUMENT, 1), (DOCUMENT, 2), (DEFAULT, 3)])
def test_every_decision_is_made_again_to_the_byte_with_lists_and_late_arrivals(
    document: str, seed: int
) -> None:
    pipeline = ran(document, seed)
    hits = 0
    for number in range(0, 200, 3):
        found = again(pipeline, f"t{number}")
        assert found.same, found.differences()
        hits += bool(found.stored.reasons)
    assert hits, "replaying nothing but approvals shows little"


def test_a_list_that_changed_since_does_not_change_the_replay() -> None:
    pipeline = ran(DOCUMENT)
    pipeline.store.lists.remove("blocked", ["bob"])
    assert again(pipeline, "t150").same


def test_only_earlier_transactions_of_its_entities_are_observed_again() -> None:
    pipeline = Pipeline()
    rows = [transaction(number, number * HOUR, customer_id=who) for number, who in enumerate("aabab")]
    pipeline.run(rows)
    assert again(pipeline, "t3").observed == 2


def test_a_tampered_feature_is_found_and_named() -> None:
    pipeline = ran(DOCUMENT)
    record = pipeline.store.ledger.find("t150")
    assert record is not None
    at = pipeline.policy.snapshot_names.index("customer.count_5m")
    snapshot = bytearray(record.decision.snapshot)
    snapshot[8 * at : 8 * at + 8] = struct.pack("<d", 77.0)
    found = again(pipeline, "t150", snapshot=bytes(snapshot))
    assert not found.same
    assert found.differences() == ["features.customer.count_5m"]


@pytest.mark.parametrize(
    ("member", "value"),
    [("score", 0.123), ("outcome", "challenge"), ("reasons", ()), ("policy_version", "other")],
)
def test_a_tampered_member_is_found_and_named(member: str, value: object) -> None:
    pipeline = ran(DOCUMENT)
    listed = next(each for each in pipeline.decisions() if each.outcome == "decline")
    found = again(pipeline, listed.transaction_id, **{member: value})
    assert not found.same
    assert found.differences() == [member]


@pytest.mark.parametrize("cut", [0, 3, 8])
def test_a_snapshot_of_another_length_is_found(cut: int) -> None:
    pipeline = ran(DOCUMENT)
    found = again(pipeline, "t150", snapshot=b"\0" * cut)
    assert not found.same
    assert found.differences() == ["features"]


@dataclass(frozen=True)
class ByTime:
    """A ledger of many workers, whose history comes in the order of time."""

    store: MemoryStore

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        yield from self.store.ledger.between(0, 2**62)


@pytest.mark.parametrize("batch", [1, 7])
def test_decisions_of_many_workers_are_made_again_from_history_in_the_order_of_time(batch: int) -> None:
    store, rows = MemoryStore(), disordered(4)
    found, _ = publish(store.policies, DOCUMENT, 0)
    for first in range(0, len(rows), batch):
        messages = [
            Message(seq=1, transaction_id=each.transaction_id, body=encode_transaction(each), received_at=5)
            for each in rows[first : first + batch]
        ]
        decide_shared(
            messages, policy=found, entities=store.entities, lists=store.lists,
            clock=lambda: 9, pause=lambda _: None,
        )  # fmt: skip
    seqs = set()
    for number in range(0, 200, 3):
        record = store.ledger.find(f"t{number}")
        assert record is not None
        seqs.add(record.seq)
        again = replay(record, found, ByTime(store), in_order=False)  # type: ignore[arg-type]  # all it asks
        assert again.same, again.differences()
    if batch == 1:
        assert len(seqs) < len(range(0, 200, 3)), "workers that meet on nothing number alike"
