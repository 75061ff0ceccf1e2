"""A store that a test fills with decided transactions, and the reports made from it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from shroff.adapters.files.reports import FileReports
from shroff.adapters.memory import MemoryStore
from shroff.codec import encode_transaction
from shroff.core.alert import Alert
from shroff.core.decision import Decision
from shroff.core.policy_document import read_policy
from shroff.core.reasons import Reason
from shroff.core.transaction import Transaction
from shroff.flows.audit import Audit
from shroff.flows.report import CSV, HTML, JSON, report
from shroff.ports import Failure, Message, Unsettled, Work

DAY = date(2018, 8, 15)
MIDNIGHT = 1_534_291_200_000
HOUR, DAY_LONG = 3_600_000, 86_400_000

POLICY = read_policy(
    """
    name = "tested"
    base_currency = "EUR"
    [entities]
    customer = "customer_id"
    [rates]
    USD = 0.87
    JPY = 0.0061
    """
)
EMPTY = Audit(accepted=0, decided=0, dead_lettered=0, in_flight=0, missing=())


def reason(rule: str = "large", outcome: str = "review", text: str = "a large amount") -> Reason:
    return Reason(rule=rule, outcome=outcome, score=0.5, reason=text, values={})


def alert(alert_id: str = "a-1", **changed: Any) -> Alert:
    values: dict[str, Any] = {
        "rule": "large",
        "entity": "customer",
        "key": "cust-1",
        "outcome": "review",
        "score": 0.5,
        "reason": "a large amount",
        "transaction_id": "t-1",
        "occurred_at": MIDNIGHT + HOUR,
        "raised_at": 7,
    }
    return Alert(alert_id=alert_id, **(values | changed))


class World:
    """Everything that a report asks, in memory; its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.store.policies.publish(POLICY.version, POLICY.document, 0)
        self._seq = 0

    def decided(
        self,
        transaction_id: str,
        minor: int = 1000,
        at: int = MIDNIGHT + HOUR,
        outcome: str = "approve",
        reasons: tuple[Reason, ...] = (),
        policy: str = POLICY.version,
        **members: Any,
    ) -> None:
        """Commit a transaction with its decision."""
        transaction = Transaction(
            transaction_id=transaction_id,
            amount_minor=minor,
            currency=members.pop("currency", "EUR"),
            occurred_at=at,
            **({"customer_id": "cust-1", "merchant": "Shop"} | members),
        )
        decision = Decision(
            transaction_id=transaction_id,
            outcome=outcome,
            score=0.5 if reasons else 0.0,
            reasons=reasons,
            snapshot=b"",
            policy_version=policy,
            decided_at=9,
        )
        message = self.message(transaction_id, encode_transaction(transaction), at)
        self.store.ledger.commit(Work(decided=[(message, transaction, decision)]))

    def died(self, transaction_id: str, body: bytes, received_at: int, cause: str = "Rejected: no") -> None:
        """Commit a dead letter."""
        message = self.message(transaction_id, body, received_at, (Failure(at=1, cause=cause),))
        self.store.ledger.commit(Work(unsettled=[Unsettled(message=message, due_at=None)]))

    def message(
        self, transaction_id: str, body: bytes, received_at: int, failures: tuple[Failure, ...] = ()
    ) -> Message:
        self._seq += 1
        return Message(
            seq=self._seq,
            transaction_id=transaction_id,
            body=body,
            received_at=received_at,
            failures=failures,
        )

    def report(self, day: date = DAY, audit: Audit = EMPTY) -> dict[str, Any]:
        """Write the report of a day and read its JSON file, numbers as int or Decimal."""
        report(
            day,
            ledger=self.store.ledger,
            alerts=self.store.alerts,
            dead_letters=self.store.dead_letters,
            policies=self.store.policies,
            audit=audit,
            reports=FileReports(self.folder),
        )
        read: dict[str, Any] = json.loads(self.bytes_of(JSON, day), parse_float=Decimal)
        return read

    def bytes_of(self, name: str, day: date = DAY) -> bytes:
        return (self.folder / day.isoformat() / name).read_bytes()

    def all_bytes(self, day: date = DAY) -> list[bytes]:
        return [self.bytes_of(name, day) for name in (CSV, JSON, HTML)]

    def page(self, day: date = DAY) -> str:
        return self.bytes_of(HTML, day).decode()

    def rows(self, day: date = DAY) -> list[dict[str, str]]:
        """The rows of the CSV file, as text."""
        return list(csv.DictReader(io.StringIO(self.bytes_of(CSV, day).decode(), newline="")))


def at(text: str) -> int:
    """Milliseconds of an ISO instant in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
