"""The daily report in a Lambda: over sealed windows, in as many runs as it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shroff.flows.audit import Audit
from shroff.flows.report import DayReport, report_some
from shroff.ports import Alerts, DeadLetters, Drafts, Ledger, Policies, Reports
from shroff.runtimes.lambdas.meter import Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """What a report asks of the world."""

    archive: Ledger
    alerts: Alerts
    dead_letters: DeadLetters
    policies: Policies
    reports: Reports
    drafts: Drafts
    meter: Meter
    audit: Callable[[date, int], Audit]
    """Of the transactions of a day, given how many of them were decided."""

    def report(self, day: date, time_left: Callable[[], bool]) -> DayReport | None:
        """Go on with the report of a day; returns it, None where time ran out."""
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
        if written is not None:
            self._tell(written.document)
        return written

    def _tell(self, document: Mapping[str, Any]) -> None:
        """Count what somebody should look at, 0 too: few metrics, as each is paid for."""
        states = [each["state"] for each in document["rules"]]
        self.meter.count("ShiftedColumns", document["drift"]["shifted"])
        self.meter.count("SilentRules", states.count("silent"))
        self.meter.count("SpikingRules", states.count("spiking"))
