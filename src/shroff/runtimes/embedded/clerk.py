"""The clerk: what runs by the clock beside the worker: sweeps and daily reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.flows.sweep import sweep
from shroff.ports import Alerts, Clock, Ledger, Policies, Schedule

log = structlog.get_logger()

_AFTER_FAILURE = 60.0
DAY, HOUR = 86_400_000, 3_600_000
MOST_SWEEPS = 288
"""Sweeps made up for at once after a pause: a day of the default ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkPorts:
    """What a clerk asks of the world."""

    ledger: Ledger
    alerts: Alerts
    policies: Policies
    schedule: Schedule
    report: Callable[[int], list[str]]
    """Writes the report of a day counted from 1970-01-01; returns where its files are."""
    clock: Clock
    """What sweeps and reports go by; may be the time of the newest transaction."""
    wall: Clock


class Clerk:
    """Does what is due. Every job may run twice without harm; the schedule keeps it from running never."""

    def __init__(self, ports: ClerkPorts, *, sweep_delay: int, report_hour: int) -> None:
        self.ports = ports
        self.sweep_delay = sweep_delay
        self.report_hour = report_hour
        self._policy: Policy | None = None

    def run(self, wait: Callable[[float], bool], every: float = 1.0) -> None:
        """Do what is due, again and again, until told to stop."""
        pause = every
        while not wait(pause):
            pause = every
            try:
                self.step()
            except Exception:  # a report that fails must not end the sweeps, nor fill the log
                log.exception("scheduled_job_failed", again_in=_AFTER_FAILURE)
                pause = _AFTER_FAILURE

    def step(self) -> None:
        """Run each sweep and report that has become due since it last ran."""
        now, policy = self.ports.clock(), self._active_policy()
        if policy is not None and now > 0:
            self._sweep(policy, now - self.sweep_delay)
            self._report(now)

    def _sweep(self, policy: Policy, until: int) -> None:
        every = policy.sweep.every
        newest = until // every
        last = self.ports.schedule.last("sweep")
        # Kept in milliseconds: a policy may change how often.
        first = newest if last is None else max(last // every + 1, newest - MOST_SWEEPS)
        for tick in range(first, newest + 1):
            at = tick * every
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

    def _report(self, now: int) -> None:
        newest = (now - self.report_hour * HOUR) // DAY - 1
        last = self.ports.schedule.last("report")
        for day in range(newest if last is None else last + 1, newest + 1):
            places = self.ports.report(day)
            self.ports.schedule.done("report", day)
            log.info("reported", files=places)

    def _active_policy(self) -> Policy | None:
        active = self.ports.policies.active()
        if active is not None and (self._policy is None or self._policy.version != active.version):
            self._policy = read_policy(active.document)
        return self._policy
