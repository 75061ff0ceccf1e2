"""What the clerk and the CLI both have done: a day's report with its audit."""

from __future__ import annotations

from datetime import date, timedelta

from shroff.flows.audit import audit_between
from shroff.flows.report import DayReport, Ripe, report
from shroff.runtimes.opened import Opened

_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000


def write_report(day: int, opened: Opened) -> DayReport:
    """Write the report of a UTC day, counted from 1970-01-01; returns it with where its files are."""
    days = opened.label_days
    audit = audit_between(
        opened.queue,
        opened.ledger,
        opened.dead_letters,
        start=day * _DAY,
        end=(day + 1) * _DAY,
        after=opened.settled(),
    )
    return report(
        _EPOCH + timedelta(days=day),
        ledger=opened.ledger,
        alerts=opened.alerts,
        dead_letters=opened.dead_letters,
        policies=opened.policies,
        audit=audit,
        reports=opened.reports,
        ripe=None if days is None else Ripe(ledger=opened.ledger, labels=opened.labels, days=days),
    )
