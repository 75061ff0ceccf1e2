"""Reporting a day that is too long for one run: several runs, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from shroff.core.report import Exchange, Tally
from shroff.flows.audit import Audit
from shroff.flows.figures import WATCH
from shroff.flows.report.content import DAY, PolicyOf, as_json, as_page, content, midnight, reader
from shroff.flows.report.daily import CSV, HTML, JSON, DayReport
from shroff.flows.report.look import look
from shroff.flows.report.ripen import Ripe
from shroff.flows.report.rows import header, lines
from shroff.flows.report.watch import Watch
from shroff.ports import SEALED, Alerts, DeadLetters, Draft, Drafts, Ledger, Policies, Record, Reports

_SAVED_AFTER, _FOR_EACH = 250_000, 4
"""Records counted between two savings: so many at least, and so many for each name in the tally, as a saving
takes the longer the more there are. After a crash they are counted again."""


def report_some(  # noqa: PLR0913  # a port for each thing it asks
    day: date,
    *,
    ledger: Ledger,
    alerts: Alerts,
    dead_letters: DeadLetters,
    policies: Policies,
    audit: Callable[[int], Audit],
    reports: Reports,
    drafts: Drafts,
    time_left: Callable[[], bool],
    ripe: Ripe | None = None,
) -> DayReport | None:
    """Go on with the report of a UTC day; None where time ran out before its end, so call again.

    The files have the same bytes whatever the number of runs. `audit` is asked once all is counted, with
    the number of this day's decisions. The day before is as its own report counted it, where that is kept.
    """
    start, policy_of = midnight(day), reader(policies)
    draft = drafts.open(day.isoformat(), CSV)
    work = _begun(draft, start, policy_of)

    def row(records: Sequence[Record]) -> None:
        draft.write(lines(records))
        work.watch.add(records)

    def go_on(counted: _Counted, pass_on: Callable[[Sequence[Record]], None]) -> bool:
        return _count(counted, ledger, pass_on, lambda: draft.save(work.encoded()), time_left)

    if not go_on(work.today, row):
        return None
    work.closed = work.closed or _encoded({"exchange": work.exchange.members(), **work.today.members()})
    work.before = work.before or _kept(drafts.tally(_eve(day)), work.exchange, start - DAY)
    if not go_on(work.before, lambda _: None):
        return None
    looked = look(day, work.watch, reports, policy_of, ripe)
    found = content(
        start,
        work.today.tally,
        work.before.tally,
        base=work.exchange.base,
        policy_of=policy_of,
        alerts=alerts,
        dead_letters=dead_letters,
        audit=audit(work.today.tally.total.count),
        looked=looked,
    )
    # The table comes last: with it the draft ends, and what crashed before is made again from the draft.
    files = {JSON: [as_json(found)], HTML: [as_page(found)], WATCH: [looked.kept()]}
    others = reports.write(day.isoformat(), files)
    return DayReport(document=found, places=(draft.finish(work.closed), *others[:2]))


@dataclass(slots=True)
class _Counted:
    """A tally of a day up to the window that begins at `at`."""

    at: int
    end: int
    tally: Tally

    def members(self) -> dict[str, Any]:
        return {"at": self.at, "tally": self.tally.members()}


@dataclass(slots=True)
class _Work:
    """How far a report has come."""

    exchange: Exchange
    today: _Counted
    watch: Watch
    """Of today."""
    before: _Counted | None = None
    closed: bytes | None = None
    """The whole of today, for the report of the day after."""

    def encoded(self) -> bytes:
        return _encoded(
            {
                "exchange": self.exchange.members(),
                "today": self.today.members(),
                "watch": self.watch.members(),
                "before": None if self.before is None else self.before.members(),
                "closed": None if self.closed is None else self.closed.decode(),
            }
        )


def _begun(draft: Draft, start: int, policy_of: PolicyOf) -> _Work:
    """The work as it was saved, or at its beginning."""
    if draft.progress is None:
        exchange = Exchange(policy_of)
        draft.write(header())
        return _Work(exchange, _Counted(start, start + DAY, Tally(exchange)), Watch(exchange, policy_of))
    members = json.loads(draft.progress)
    exchange = Exchange.of(members["exchange"], policy_of)
    before, closed = members["before"], members["closed"]
    return _Work(
        exchange,
        _restored(members["today"], exchange, start),
        Watch.of(members["watch"], exchange, policy_of),
        None if before is None else _restored(before, exchange, start - DAY),
        None if closed is None else closed.encode(),
    )


def _count(
    counted: _Counted,
    ledger: Ledger,
    pass_on: Callable[[Sequence[Record]], None],
    save: Callable[[], None],
    time_left: Callable[[], bool],
) -> bool:
    """Count window by window; whether the end was reached. What was counted is saved now and then."""
    if counted.at == counted.end:
        return True
    tally, unsaved = counted.tally, 0
    for window, records in _by_window(ledger.between(counted.at, counted.end)):
        if window > counted.at:  # all before it is counted
            counted.at = window
            out_of_time = not time_left()
            enough = max(_SAVED_AFTER, _FOR_EACH * (len(tally.customers) + len(tally.merchants)))
            if out_of_time or unsaved >= enough:
                save()
                unsaved = 0
            if out_of_time:
                return False
        for record in records:
            tally.add(record.transaction, record.decision)
        pass_on(records)
        unsaved += len(records)
    counted.at = counted.end
    if time_left():
        return True
    save()
    return False


def _by_window(parts: Iterable[Sequence[Record]]) -> Iterator[tuple[int, list[Record]]]:
    """(start of the window, records of it): of each part one for each window it reaches into."""
    for records in parts:
        for window, some in groupby(records, lambda each: each.transaction.occurred_at // SEALED * SEALED):
            yield window, list(some)


def _kept(tally: bytes | None, exchange: Exchange, start: int) -> _Counted:
    """The whole of a day as its own report counted it; uncounted where its amounts are not in our money."""
    members = None if tally is None else json.loads(tally)
    if members is not None and exchange.agrees(members["exchange"]):
        return _restored(members, exchange, start)
    return _Counted(start, start + DAY, Tally(exchange))


def _restored(members: dict[str, Any], exchange: Exchange, start: int) -> _Counted:
    return _Counted(members["at"], start + DAY, Tally.of(members["tally"], exchange))


def _encoded(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def _eve(day: date) -> str:
    return (day - timedelta(days=1)).isoformat()
