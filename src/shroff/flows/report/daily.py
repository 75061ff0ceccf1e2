"""Reporting a day: one pass over its transactions, three files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec

from shroff.core.errors import Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.report import Exchange, Tally
from shroff.flows.audit import Audit
from shroff.flows.moment import moment_of
from shroff.flows.report.document import Day, document
from shroff.flows.report.page import page
from shroff.flows.report.rows import table
from shroff.ports import Alerts, DeadLetter, DeadLetters, Ledger, Policies, Record, Reports

NAME = "fraud-detection-report"
CSV, JSON, HTML = f"{NAME}.csv", f"{NAME}.json", f"{NAME}.html"
_DAY = 86_400_000
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
    audit: Audit,
    reports: Reports,
) -> DayReport:
    """Write the report of one UTC day; the same day gives the same bytes.

    A transaction belongs to the day in which it occurred; for dead letters see `moment_of`. `audit` is that
    of the transactions of this day.
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
        if publication is None:
            return None
        try:
            return read_policy(publication.document)
        except Rejected:
            # Published under an older Shroff that was less strict: its days can be reported all the same.
            return None

    return policy_of


def _day_of(letter: DeadLetter) -> int:
    """The start of the day that a dead letter belongs to."""
    at = moment_of(letter.message)
    return at - at % _DAY
