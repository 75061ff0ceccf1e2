"""What the report-generator asks of its stack."""

from __future__ import annotations

from datetime import UTC, date, datetime

from shroff.adapters.aws.archive import ArchivedLedger
from shroff.adapters.aws.drafts import S3Drafts
from shroff.flows.audit import Audit, audit_between
from shroff.flows.settle import AUDITED
from shroff.ports import Chunks, LateMarks, Ledger
from shroff.runtimes.lambdas.reporting import Reporter
from shroff.runtimes.wiring.cloud import Deployed

_DAY = 86_400_000


def reporter(deployed: Deployed) -> Reporter:
    """What writes the daily report."""
    store = deployed.store

    def audit_of(day: date, decided: int) -> Audit:
        followed = store.schedule.last(AUDITED) or 0
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000
        return audit_between(
            store.queue,
            _Followed(store.ledger, store.chunks, store.marks, followed),
            store.dead_letters,
            start=start,
            end=start + _DAY,
            after=followed,
            decided=decided,
        )

    return Reporter(
        archive=store.archive,
        alerts=store.alerts,
        dead_letters=store.dead_letters,
        policies=store.policies,
        reports=store.reports,
        drafts=S3Drafts(deployed.clients.s3, deployed.names.bucket),
        meter=deployed.meter,
        audit=audit_of,
    )


class _Followed(ArchivedLedger):
    """The ledger of a report, which does not ask the queue: done is what the sweep's audit has followed."""

    def __init__(self, ledger: Ledger, chunks: Chunks, marks: LateMarks, followed: int) -> None:
        super().__init__(ledger, chunks, marks)
        self._until = followed

    def position(self) -> int:
        """Everything that was accepted up to here has its fate."""
        return self._until
