"""The items of the transactions table: what was accepted, and what was decided of it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shroff.adapters.aws.attributes import Attribute, Item, data, integer, number, text
from shroff.adapters.aws.timeline import partition_of
from shroff.codec import decode_reasons, decode_transaction, encode, encode_reasons
from shroff.core.decision import Decision
from shroff.core.errors import Rejected
from shroff.core.transaction import Transaction
from shroff.ports import DeadLetter, Entry, Failure, Message, Record

ACCEPTED = -1
"""The range key of what was accepted: no transaction occurred before 1970."""
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """How transactions are written, by the settings of the environment."""

    shards: int = 16
    retention_days: int | None = None

    def accepted(self, entry: Entry, message_id: str) -> Item:
        """What is put when a transaction is accepted."""
        occurred_at = occurred_at_of(entry.body, entry.received_at)
        return {
            **accepted_key(entry.transaction_id),
            "body": data(entry.body),
            "message_id": text(message_id),
            "received_at": number(entry.received_at),
            "occurred_at": number(occurred_at),
            "accepted_in": text(partition_of(entry.received_at, entry.transaction_id, self.shards)),
            **self._expiry(max(entry.received_at, occurred_at)),
        }

    def decided(self, seq: int, message: Message, transaction: Transaction, decision: Decision) -> Item:
        """What is put when a transaction is decided."""
        occurred_at, transaction_id = transaction.occurred_at, transaction.transaction_id
        reasons = {"reasons": data(encode_reasons(decision.reasons))} if decision.reasons else {}
        return {
            **decided_key(transaction_id, occurred_at),
            "seq": number(seq),
            "body": data(message.body),
            "received_at": number(message.received_at),
            "occurred_at": number(occurred_at),
            "outcome": text(decision.outcome),
            "score": number(decision.score),
            "policy_version": text(decision.policy_version),
            "decided_at": number(decision.decided_at),
            **reasons,
            **_snapshot(decision.snapshot),
            "occurred_in": text(partition_of(occurred_at, transaction_id, self.shards)),
            **self._expiry(max(decision.decided_at, occurred_at)),
        }

    def _expiry(self, moment: int) -> Item:
        if self.retention_days is None:
            return {}
        return {"expires_at": number(moment // 1000 + self.retention_days * _DAY)}


def accepted_key(transaction_id: str) -> Item:
    """The key of what was accepted."""
    return {"transaction_id": text(transaction_id), "timestamp": number(ACCEPTED)}


def decided_key(transaction_id: str, occurred_at: int) -> Item:
    """The key of what was decided."""
    return {"transaction_id": text(transaction_id), "timestamp": number(occurred_at)}


def occurred_at_of(body: bytes, received_at: int) -> int:
    """When a body's transaction occurred; where it does not say, when it was received."""
    try:
        return decode_transaction(body).occurred_at
    except Rejected:
        return received_at


def message_of(item: Item) -> Message:
    """The message of what was accepted."""
    received_at = integer(item, "received_at")
    return Message(
        seq=received_at,
        transaction_id=item["transaction_id"]["S"],
        body=item["body"]["B"],
        received_at=received_at,
        failures=failures_of(item.get("failures")),
    )


def record_of(item: Item) -> Record:
    """The record of what was decided."""
    reasons, packed = item.get("reasons"), item.get("snapshot_z")
    return Record(
        seq=integer(item, "seq"),
        transaction=decode_transaction(item["body"]["B"]),
        received_at=integer(item, "received_at"),
        decision=Decision(
            transaction_id=item["transaction_id"]["S"],
            outcome=item["outcome"]["S"],
            score=float(item["score"]["N"]),
            reasons=() if reasons is None else decode_reasons(reasons["B"]),
            snapshot=item["snapshot"]["B"] if packed is None else zlib.decompress(packed["B"]),
            policy_version=item["policy_version"]["S"],
            decided_at=integer(item, "decided_at"),
        ),
    )


def letter_of(item: Item) -> DeadLetter:
    """The dead letter of what was accepted and given up."""
    return DeadLetter(
        message=message_of(item), died_at=integer(item, "died_at"), discarded="discarded_at" in item
    )


def failures_of(attribute: Attribute | None) -> tuple[Failure, ...]:
    """From JSON [[at, cause], ...]."""
    if attribute is None:
        return ()
    pairs = msgspec.json.decode(attribute["B"], type=list[tuple[int, str]])
    return tuple(Failure(at=at, cause=cause) for at, cause in pairs)


def failures_data(failures: Sequence[Failure]) -> Attribute:
    """To JSON [[at, cause], ...]."""
    return data(encode([(each.at, each.cause) for each in failures]))


def _snapshot(snapshot: bytes) -> Item:
    """Compressed where that is smaller; most features of a new entity are missing, and alike."""
    packed = zlib.compress(snapshot, 6)
    if len(packed) + len("_z") < len(snapshot):
        return {"snapshot_z": data(packed)}
    return {"snapshot": data(snapshot)}
