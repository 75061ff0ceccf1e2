"""Reporting a day: one pass over its transactions, three files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec

from shroff.codec import decode_object, decode_transaction
from shroff.core.errors import Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.report import Exchange, Tally
from shroff.flows.report.document import Day, DayAudit, document
from shroff.flows.report.page import page
from shroff.flows.report.rows import table
from shroff.ports import Alerts, DeadLetter, DeadLetters, Ledger, Policies, Record, Reports

NAME = "fraud-detection-report"
CSV, JSON, HTML = f"{NAME}.csv", f"{NAME}.json", f"{NAME}.html"
_DAY = 86_400_000
_LAST = 253_402_300_800_000  # the year 10000
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A report that was written."""

    document: dict[str, Any]
    """The content of the JSON file; amounts are Decimals."""
    places: tuple[str, ...]
    """Where the CSV, JSON and HTML files are."""


def report(  # noqa: PLR0913  # a port for each thing it asks
    day: date,
    *,
    ledger: Ledger,
    alerts: Alerts,
    dead_letters: DeadLetters,
    policies: Policies,
    audit: DayAudit,
    reports: Reports,
) -> DayReport:
    """Write the report of one UTC day; the same day gives the same bytes.

    A transaction belongs to the day in which it occurred, a dead letter without a readable timestamp to the one
    in which it was received. `audit` is the audit of the transactions that occurred in this day.
    """
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    policy_of = _reader(policies)
    exchange = Exchange(policy_of)
    today = _Tallied(ledger.between(start, start + _DAY), exchange)
    dead = [(_day_of(letter), letter) for letter in dead_letters.all()]

    def gathered(start: int, tally: Tally) -> Day:
        return Day(
            start=start,
            tally=tally,
            alerts=alerts.between(start, start + _DAY),
            dead_letters=[letter for at, letter in dead if at == start],
        )

    @cache
    def content() -> dict[str, Any]:
        before = _Tallied(ledger.between(start - _DAY, start), exchange).to_the_end()
        days = gathered(start, today.whole), gathered(start - _DAY, before)
        names = {
            version: policy.name if (policy := policy_of(version)) else None
            for version in today.whole.policies
        }
        return document(*days, base=exchange.base, names=names, audit=audit)

    places = reports.write(
        day.isoformat(),
        {
            CSV: table(today),
            JSON: _when_asked(lambda: msgspec.json.format(_encoder.encode(content()), indent=2) + b"\n"),
            HTML: _when_asked(lambda: page(content()).encode("utf-8", "replace")),
        },
    )
    return DayReport(document=content(), places=tuple(places))


class _Tallied:
    """Passes records through, and knows what they amount to once the last has passed."""

    def __init__(self, chunks: Iterable[list[Record]], exchange: Exchange) -> None:
        self._chunks = chunks
        self._tally = Tally(exchange)
        self._over = False

    def __iter__(self) -> Iterator[list[Record]]:
        for chunk in self._chunks:
            for record in chunk:
                self._tally.add(record.transaction, record.decision)
            yield chunk
        self._over = True

    @property
    def whole(self) -> Tally:
        if not self._over:
            raise RuntimeError("the table must be written to its end before the totals are known")
        return self._tally

    def to_the_end(self) -> Tally:
        for _ in self:
            pass
        return self.whole


def _when_asked(content: Callable[[], bytes]) -> Iterator[bytes]:
    yield content()


def _reader(policies: Policies) -> Callable[[str], Policy | None]:
    @cache
    def policy_of(version: str) -> Policy | None:
        publication = policies.get(version)
        return None if publication is None else read_policy(publication.document)

    return policy_of


def _day_of(letter: DeadLetter) -> int:
    """The start of the day that a dead letter belongs to."""
    occurred_at = _occurred_at(letter.message.body)
    at = letter.message.received_at if occurred_at is None else occurred_at
    return at - at % _DAY


def _occurred_at(body: bytes) -> int | None:
    """When a message that may not even be a transaction says that it occurred; None where it does not."""
    try:
        return decode_transaction(body).occurred_at
    except Rejected:
        pass
    try:
        members = decode_object(body)
    except Rejected:
        return None
    for name, unit in (("occurred_at", 1), ("timestamp", 1000)):
        value = members.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value * unit < _LAST:
            return value * unit
    return None
