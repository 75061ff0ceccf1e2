"""What the clerk and the CLI both have done: a day's report with its audit."""

from __future__ import annotations

from datetime import date, timedelta

from shroff.flows.audit import audit_between
from shroff.flows.report import report
from shroff.runtimes.wiring import Embedded

_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000


def write_report(day: int, embedded: Embedded) -> list[str]:
    """Write the report of a UTC day, counted from 1970-01-01; returns where its files are."""
    store = embedded.store
    audit = audit_between(
        embedded.queue, store.ledger, store.dead_letters, start=day * _DAY, end=(day + 1) * _DAY
    )
    written = report(
        _EPOCH + timedelta(days=day),
        ledger=store.ledger,
        alerts=store.alerts,
        dead_letters=store.dead_letters,
        policies=store.policies,
        audit=audit,
        reports=embedded.reports,
    )
    return list(written.places)
