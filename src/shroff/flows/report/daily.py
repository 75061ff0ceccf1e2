"""Reporting a day: one pass over its transactions, three files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from shroff.core.report import Exchange, Tally
from shroff.flows.audit import Audit
from shroff.flows.figures import WATCH
from shroff.flows.report.content import DAY, as_json, as_page, content, midnight, reader
from shroff.flows.report.look import Look, look
from shroff.flows.report.ripen import Ripe
from shroff.flows.report.rows import table
from shroff.flows.report.watch import Watch
from shroff.ports import Alerts, DeadLetters, Ledger, Policies, Record, Reports

NAME = "fraud-detection-report"
CSV, JSON, HTML = f"{NAME}.csv", f"{NAME}.json", f"{NAME}.html"


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
    ripe: Ripe | None = None,
) -> DayReport:
    """Write the report of one UTC day; the same day gives the same bytes.

    A transaction belongs to the day in which it occurred; for dead letters see `moment_of`. `audit` is that
    of the transactions of this day; without `ripe` nothing is said of labels.
    """
    start = midnight(day)
    policy_of = reader(policies)
    exchange = Exchange(policy_of)
    watch = Watch(exchange, policy_of)
    today = _Tallied(ledger.between(start, start + DAY), exchange, watch)

    @cache
    def looked() -> Look:
        return look(day, watch, reports, policy_of, ripe)

    @cache
    def found() -> dict[str, Any]:
        before = _Tallied(ledger.between(start - DAY, start), exchange).to_the_end()
        return content(
            start,
            today.whole,
            before,
            base=exchange.base,
            policy_of=policy_of,
            alerts=alerts,
            dead_letters=dead_letters,
            audit=audit,
            looked=looked(),
        )

    places = reports.write(
        day.isoformat(),
        {
            CSV: table(today),
            JSON: _when_asked(lambda: as_json(found())),
            HTML: _when_asked(lambda: as_page(found())),
            WATCH: _when_asked(lambda: looked().kept()),
        },
    )
    return DayReport(document=found(), places=tuple(places[:3]))


class _Tallied:
    """Passes records through, and knows what they amount to once the last has passed."""

    def __init__(
        self, chunks: Iterable[list[Record]], exchange: Exchange, watch: Watch | None = None
    ) -> None:
        self._chunks = chunks
        self._tally = Tally(exchange)
        self._watch = watch
        self._over = False

    def __iter__(self) -> Iterator[list[Record]]:
        for chunk in self._chunks:
            for record in chunk:
                self._tally.add(record.transaction, record.decision)
            if self._watch is not None:
                self._watch.add(chunk)
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
