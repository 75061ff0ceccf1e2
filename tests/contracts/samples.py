"""Values that the contracts are told with."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec.structs import replace

from shroff.codec import encode_transaction
from shroff.core.alert import Alert
from shroff.core.decision import Decision
from shroff.core.reasons import Reason
from shroff.core.transaction import Transaction
from shroff.ports import Entry, Failure, Message, Unsettled, Work

Decided = tuple[Message, Transaction, Decision]

REASON = Reason(
    rule="many_payments",
    outcome="review",
    score=0.5,
    reason="12 payments in 5 minutes",
    values={"card.count_5m": 12.0, "country": "DE", "list.blocked": True, "customer.amount_mean_30d": None},
)


def entry(transaction_id: str, body: bytes = b"{}", received_at: int = 7) -> Entry:
    return Entry(transaction_id=transaction_id, body=body, received_at=received_at)


def transaction(transaction_id: str, occurred_at: int = 1_000) -> Transaction:
    return Transaction(
        transaction_id=transaction_id,
        amount_minor=9_999,
        currency="EUR",
        occurred_at=occurred_at,
        customer_id="cust-1",
        latitude=52.5,
        attributes={"basket": 3, "gift": True, "note": "für Zoë"},
    )


def message(transaction_id: str, *failures: Failure, seq: int = 1, occurred_at: int = 1_000) -> Message:
    body = encode_transaction(transaction(transaction_id, occurred_at))
    return Message(seq=seq, transaction_id=transaction_id, body=body, received_at=7, failures=failures)


def decision(transaction_id: str, outcome: str = "approve", version: str = "v1") -> Decision:
    return Decision(
        transaction_id=transaction_id,
        outcome=outcome,
        score=0.25,
        reasons=() if outcome == "approve" else (REASON,),
        snapshot=struct.pack("<3d", 1.5, float("nan"), 0.0),
        policy_version=version,
        decided_at=9,
    )


def decided(transaction_id: str, occurred_at: int = 1_000, outcome: str = "approve") -> Decided:
    return (
        message(transaction_id, occurred_at=occurred_at),
        transaction(transaction_id, occurred_at),
        decision(transaction_id, outcome),
    )


def retrying(transaction_id: str, due_at: int, *, seq: int = 1) -> Unsettled:
    return Unsettled(message=message(transaction_id, failure(5), seq=seq), due_at=due_at)


def dying(transaction_id: str, *, at: int = 5, seq: int = 1) -> Unsettled:
    return Unsettled(message=message(transaction_id, failure(at - 1), failure(at), seq=seq), due_at=None)


def dead(*transaction_ids: str) -> Work:
    return Work(unsettled=[dying(each, seq=seq) for seq, each in enumerate(transaction_ids, 1)])


def failure(at: int, cause: str = "the model would not answer") -> Failure:
    return Failure(at=at, cause=cause)


def alert(alert_id: str, *, occurred_at: int = 1_000, score: float = 0.5, hits: int = 1) -> Alert:
    return Alert(
        alert_id=alert_id,
        rule="many_payments",
        entity="customer",
        key="cust-1",
        outcome="review",
        score=score,
        reason="12 payments in 5 minutes",
        transaction_id=f"txn-of-{alert_id}",
        occurred_at=occurred_at,
        raised_at=occurred_at + 1,
        hits=hits,
    )


def unplaced(message: Message) -> Message:
    """A message without its place in the queue, which each adapter has its own way to give."""
    return replace(message, seq=0)


def in_commits(work: Work, size: int = 90) -> Iterator[Work]:
    """The work in commits that every adapter can hold."""
    for start in range(0, len(work.decided) or len(work.unsettled), size):
        end = start + size
        yield Work(decided=work.decided[start:end], unsettled=work.unsettled[start:end])
