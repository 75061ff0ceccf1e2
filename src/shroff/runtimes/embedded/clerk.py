"""The clerk: what runs by the clock beside the worker: sweeps and daily reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shroff.core.policy import Policy
from shroff.flows.publish import newest_readable
from shroff.flows.sweep import sweep
from shroff.ports import Alerts, Clock, Ledger, Policies, Queue, Schedule

log = structlog.get_logger()

_AFTER_FAILURE = 60.0
DAY, HOUR = 86_400_000, 3_600_000
MOST_SWEEPS, MOST_REPORTS = 288, 31
"""Made up for at once after a pause: a day of the default sweeps, a month of reports."""
PATIENCE = 600_000
"""Milliseconds that a sweep waits for what was accepted before its end to be decided."""

Wait = Callable[[float], bool]
"""Waits for so many seconds; True where the clerk is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkPorts:
    """What a clerk asks of the world."""

    queue: Queue
    ledger: Ledger
    alerts: Alerts
    policies: Policies
    schedule: Schedule
    report: Callable[[int], list[str]]
    """Writes the report of a day counted from 1970-01-01; returns where its files are."""
    clock: Clock
    """What sweeps and reports go by; may be the time of the newest transactions."""
    wall: Clock


class Clerk:
    """Does what is due. Every job may run twice without harm; the schedule keeps it from running never."""

    def __init__(self, ports: ClerkPorts, *, sweep_delay: int, report_hour: int) -> None:
        self.ports = ports
        self.sweep_delay = sweep_delay
        self.report_hour = report_hour
        self._publication = 0
        self._policy: Policy | None = None

    def run(self, wait: Wait, every: float = 1.0) -> None:
        """Do what is due, again and again, until told to stop."""
        pause = every
        while not wait(pause):
            failed = [job for job in (self.sweep, self.report) if not _done(job, wait)]
            pause = _AFTER_FAILURE if failed else every

    def sweep(self, wait: Wait) -> None:
        """Run each sweep that has become due since the last one ran."""
        policy, now = self._newest_policy(), self.ports.clock()
        if policy is None or now <= 0:
            return
        every = policy.sweep.every
        newest = (now - self.sweep_delay) // every
        # Kept in milliseconds, as a policy may change how often.
        last = self.ports.schedule.last("sweep")
        for tick in _due(None if last is None else last // every, newest, MOST_SWEEPS):
            at = tick * every
            if wait(0) or not self._decided_until(at):
                return
            swept = sweep(
                policy,
                self.ports.ledger,
                self.ports.alerts,
                at=at,
                window=policy.sweep.window,
                now=self.ports.wall(),
            )
            self.ports.schedule.done("sweep", at)
            log.info(
                "swept",
                at=at,
                transactions=swept.transactions,
                findings=len(swept.findings),
                alerts=swept.new_alerts,
            )

    def report(self, wait: Wait) -> None:
        """Write the report of each day that has ended since the last one was written."""
        now = self.ports.clock()
        if now <= 0:
            return
        newest = (now - self.report_hour * HOUR) // DAY - 1
        for day in _due(self.ports.schedule.last("report"), newest, MOST_REPORTS):
            if wait(0) or not self._decided_until((day + 1) * DAY):
                return
            places = self.ports.report(day)
            self.ports.schedule.done("report", day)
            log.info("reported", files=places)

    def _newest_policy(self) -> Policy | None:
        active = self.ports.policies.active()
        if active is not None and active.number != self._publication:
            self._policy = newest_readable(self.ports.policies)
            self._publication = active.number
        return self._policy

    def _decided_until(self, at: int) -> bool:
        """Whether nothing that was accepted before this moment still waits to be decided."""
        waiting = self.ports.queue.read(self.ports.ledger.position(), 1)
        if not waiting or waiting[0].received_at >= at:
            return True
        return self.ports.wall() >= at + PATIENCE  # a worker that stands still must not end all looking back


def _due(last: int | None, newest: int, most: int) -> range:
    """What lies between the last that was done and the newest; the newest alone after a clock ran ahead."""
    first = newest if last is None or last > newest else max(last + 1, newest - most + 1)
    return range(first, newest + 1)


def _done(job: Callable[[Wait], None], wait: Wait) -> bool:
    """Whether a job ran to its end; one that fails ends no other, nor the worker's decisions."""
    try:
        job(wait)
    except Exception:
        log.exception("scheduled_job_failed", again_in=_AFTER_FAILURE)
        return False
    return True
