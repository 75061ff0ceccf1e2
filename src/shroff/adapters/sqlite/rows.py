"""Rows as values, and values as the cells of rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shroff.adapters.sqlite.database import Row
from shroff.codec import decode_reasons, decode_transaction, encode
from shroff.core.alert import Alert
from shroff.core.decision import Decision
from shroff.core.policy import OUTCOMES
from shroff.ports import Failure, Message, Record


def message_of(row: Row) -> Message:
    """From (seq, transaction_id, body, received_at)."""
    seq, transaction_id, body, received_at = row
    return Message(seq=seq, transaction_id=transaction_id, body=body, received_at=received_at)


def failed_message_of(row: Row) -> Message:
    """From (seq, transaction_id, body, received_at, failures)."""
    seq, transaction_id, body, received_at, failures = row
    return Message(
        seq=seq,
        transaction_id=transaction_id,
        body=body,
        received_at=received_at,
        failures=failures_of(failures),
    )


def failed_message_cells(message: Message) -> Row:
    """To (seq, transaction_id, body, received_at, failures)."""
    failures = failures_cell(message.failures)
    return (message.seq, message.transaction_id, message.body, message.received_at, failures)


def record_of(row: Row) -> Record:
    """From the columns of ledger.sql's records."""
    seq, transaction_id, received_at, decided_at, outcome, score, version, body, reasons, snapshot = row
    return Record(
        seq=seq,
        transaction=decode_transaction(body),
        received_at=received_at,
        decision=Decision(
            transaction_id=transaction_id,
            outcome=OUTCOMES[outcome],
            score=score,
            reasons=() if reasons is None else decode_reasons(reasons),
            snapshot=snapshot,
            policy_version=version,
            decided_at=decided_at,
        ),
    )


def alert_of(row: Row) -> Alert:
    """From the columns of the alert log after position."""
    alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits = row
    return Alert(
        alert_id=alert_id,
        rule=rule,
        entity=entity,
        key=key,
        outcome=outcome,
        score=score,
        reason=reason,
        transaction_id=transaction_id,
        occurred_at=occurred_at,
        raised_at=raised_at,
        hits=hits,
    )


def alert_cells(alert: Alert) -> Row:
    """The columns of the alert log after position."""
    return (
        alert.alert_id,
        alert.rule,
        alert.entity,
        alert.key,
        alert.outcome,
        alert.score,
        alert.reason,
        alert.transaction_id,
        alert.occurred_at,
        alert.raised_at,
        alert.hits,
    )


def failures_of(cell: bytes) -> tuple[Failure, ...]:
    """From JSON [[at, cause], ...]."""
    return tuple(Failure(at=at, cause=cause) for at, cause in json.loads(cell))


def failures_cell(failures: Sequence[Failure]) -> bytes:
    """To JSON [[at, cause], ...]."""
    return encode([(each.at, each.cause) for each in failures])
