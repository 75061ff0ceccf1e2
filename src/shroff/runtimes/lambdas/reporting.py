"""The daily report in a Lambda: over sealed windows, in as many runs as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from shroff.flows.audit import Audit
from shroff.flows.report.split import report_some
from shroff.ports import Alerts, DeadLetters, Drafts, Ledger, Policies, Reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """What a report asks of the world."""

    archive: Ledger
    alerts: Alerts
    dead_letters: DeadLetters
    policies: Policies
    reports: Reports
    drafts: Drafts
    audit: Callable[[date, int], Audit]
    """Of the transactions of a day, given how many of them were decided."""

    def report(self, day: date, time_left: Callable[[], bool]) -> list[str] | None:
        """Go on with the report of a day; returns where its files are, None where time ran out."""
        written = report_some(
            day,
            ledger=self.archive,
            alerts=self.alerts,
            dead_letters=self.dead_letters,
            policies=self.policies,
            audit=lambda decided: self.audit(day, decided),
            reports=self.reports,
            drafts=self.drafts,
            time_left=time_left,
        )
        return None if written is None else list(written.places)
