"""What the clerk and the CLI both have done: a day's report with its audit."""

from __future__ import annotations

from datetime import date, timedelta

from shroff.flows.audit import audit_between
from shroff.flows.report import report
from shroff.runtimes.opened import Opened

_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000


def write_report(day: int, opened: Opened) -> list[str]:
    """Write the report of a UTC day, counted from 1970-01-01; returns where its files are."""
    audit = audit_between(
        opened.queue,
        opened.ledger,
        opened.dead_letters,
        start=day * _DAY,
        end=(day + 1) * _DAY,
        after=opened.settled(),
    )
    written = report(
        _EPOCH + timedelta(days=day),
        ledger=opened.ledger,
        alerts=opened.alerts,
        dead_letters=opened.dead_letters,
        policies=opened.policies,
        audit=audit,
        reports=opened.reports,
    )
    return list(written.places)
