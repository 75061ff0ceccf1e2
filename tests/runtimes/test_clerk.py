"""The clerk over the memory twins: what is due is done once, late work waited for, wrong clocks borne."""

from __future__ import annotations

import pytest

from shroff.runtimes.embedded.clerk import DAY, MOST_REPORTS, MOST_SWEEPS, PATIENCE, Clerk, ClerkPorts
from tests.runtimes.test_worker import World, drained, raises

SWEEP = """
[sweep]
every = "5m"
window = "5m"
by = "customer"
[[sweep.rules]]
name = "often"
when = "window.count > 3"
reason = "Often"
score = "window.count"
"""
TICK = 300_000


class Office:
    """A clerk with a clock to turn, over a world with a worker."""

    def __init__(self) -> None:
        self.world = World(SWEEP)
        self.reported: list[int] = []
        ports = ClerkPorts(
            queue=self.world.queue,
            ledger=self.world.store.ledger,
            alerts=self.world.store.alerts,
            policies=self.world.store.policies,
            schedule=self.world.store.schedule,
            report=self.report,
            clock=lambda: self.world.now,
            wall=lambda: self.world.now,
        )
        self.clerk = Clerk(ports, sweep_delay=5_000, report_hour=1)

    def report(self, day: int) -> list[str]:
        self.reported.append(day)
        return []

    def at(self, now: int) -> Office:
        self.world.now = now
        self.clerk.sweep(lambda _: False)
        self.clerk.report(lambda _: False)
        return self

    def swept(self) -> int | None:
        return self.world.store.schedule.last("sweep")


def test_a_sweep_runs_at_each_tick_once_its_delay_is_over() -> None:
    office = Office().at(10 * TICK + 4_999)
    assert office.swept() == 9 * TICK
    office.at(10 * TICK + 5_000)
    assert office.swept() == 10 * TICK


def test_sweeps_missed_in_a_pause_are_made_up_for_up_to_a_bound() -> None:
    office = Office().at(10 * TICK + 5_000)
    office.world.post(*range(3_001, 3_015))  # in the window that ends at 11 ticks: 14 payments of 3 customers
    drained(office.world.worker())
    office.at(14 * TICK + 5_000)
    assert office.world.store.alerts.last() == 14
    done: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(office.world.store.schedule, "done", lambda job, _: done.append(job))
        office.at((20 + 2 * MOST_SWEEPS) * TICK)
    assert done.count("sweep") == MOST_SWEEPS


def test_a_sweep_waits_for_what_was_accepted_before_its_end_but_not_for_ever() -> None:
    office = Office().at(10 * TICK + 5_000)
    office.world.now = 11 * TICK - 1
    office.world.post(*range(3_001, 3_015))
    office.at(11 * TICK + 5_000)
    assert office.swept() == 10 * TICK, "the worker has not decided them"
    drained(office.world.worker())
    office.at(11 * TICK + 6_000)
    assert (office.swept(), office.world.store.alerts.last()) == (11 * TICK, 14)
    office.world.now = 12 * TICK - 1
    office.world.post(1)
    office.at(12 * TICK + PATIENCE)
    assert (office.swept() or 0) >= 12 * TICK, "a worker that stands still does not end all looking back"


def test_a_clock_that_ran_ahead_once_neither_ends_the_sweeps_nor_writes_years_of_reports() -> None:
    office = Office().at(10 * DAY)
    office.at(4_000 * DAY)
    assert len(office.reported) <= 1 + MOST_REPORTS
    office.reported.clear()
    office.at(11 * DAY + TICK + 5_000)
    assert office.swept() == 11 * DAY + TICK
    office.at(11 * DAY + 2 * TICK + 5_000)
    assert office.swept() == 11 * DAY + 2 * TICK


def test_a_day_is_reported_after_its_hour_and_each_day_of_a_pause() -> None:
    office = Office().at(10 * DAY + 3_599_999)
    assert office.reported == [8]
    office.at(10 * DAY + 3_600_000)
    office.at(13 * DAY + 3_600_000)
    assert office.reported == [8, 9, 10, 11, 12]


def test_a_sweep_that_fails_ends_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    office.world.now = 10 * DAY
    monkeypatch.setattr(office.world.store.ledger, "between", raises(RuntimeError("a bug")))
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return len([each for each in pauses if each]) > 2

    office.clerk.run(wait)
    assert office.reported == [8]
    assert 60.0 in pauses, "what fails is not tried each second"


def test_an_unreadable_policy_leaves_the_sweeps_of_the_one_before() -> None:
    office = Office()
    office.world.store.policies.publish("newer", "this = [is not a policy", 2)
    office.at(10 * TICK + 5_000)
    assert office.swept() == 10 * TICK
