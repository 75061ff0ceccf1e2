"""Looking back: what the sweep's function does by the clock, each step ready for the next run to go on with.

::

    tell ── find the dead ── audit ── seal and sweep each window that is due ── learn labels ── seal again

A step keeps how far it came in the schedule and the marks, so that a run that ends in the middle repeats
little, and two runs at once do the same twice without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from shroff.core.alert import Alert
from shroff.core.errors import Contended, Damaged
from shroff.core.policy import Policy
from shroff.flows.seal import QUIET, seal
from shroff.flows.settle import AUDITED, PATIENCE, UNSURE, Send, settle
from shroff.flows.sweep import sweep
from shroff.ports import (
    SEALED,
    Alerts,
    Chunks,
    Clock,
    Entry,
    LateMarks,
    Ledger,
    Message,
    Queue,
    Receipt,
    Schedule,
)
from shroff.runtimes.lambdas.meter import Meter

log = structlog.get_logger()

TimeLeft = Callable[[], bool]

_LOOKED, _SEALED, _SEALED_TWICE, _SWEPT = "looked", "sealed", "sealed twice", "sweep"
_CAUGHT_UP = 900_000
"""Milliseconds after its end when a window is sealed for good: an index may lag by minutes, if rarely."""
_TOGETHER = 100
_AUDITED_FOR = 300_000
"""Milliseconds of a run that the audit may take: however much is open, windows are to be sealed and swept."""
_TELLING = 60_000
"""Milliseconds for which whoever raised an alert may be telling it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingPorts:
    """What looking back asks of the world."""

    ledger: Ledger
    """The one that is committed to."""
    archive: Ledger
    """The same, with its sealed windows."""
    chunks: Chunks
    marks: LateMarks
    alerts: Alerts
    untold: Callable[[int], list[Alert]]
    """So many alerts of which nobody was told, the oldest first."""
    tell: Callable[[Sequence[Alert]], int]
    find_dead: Callable[[], None]
    """Marks what the queue gave up on its own: the audit is not to send it again."""
    queue: Queue
    send: Send
    policy: Callable[[], Policy]
    schedule: Schedule
    learn: Callable[[TimeLeft], None]
    """Learns labels as long as there is time."""
    clock: Clock


class LookBack:
    """Does what is due, as long as there is time."""

    def __init__(self, ports: LookingPorts, *, sweep_delay: int, meter: Meter) -> None:
        self._ports = ports
        self._sweep_delay = sweep_delay
        self._meter = meter

    def run(self, time_left: TimeLeft) -> bool:
        """Whether all that was due is done; False where time ran out before.

        A step that fails ends no other; its error is raised once they are done.
        """
        errors: list[Exception] = []
        for step in (
            self.tell,
            self.find_dead,
            self.audit,
            self.seal_due,
            self.sweep_due,
            self.learn,
            self.seal_once_more,
            self.seal_again,
        ):
            try:
                if not step(time_left):
                    return False
            except Exception as error:
                log.exception("looking_back_failed", step=step.__name__)
                errors.append(error)
        if errors:
            raise errors[0]
        return True

    def tell(self, time_left: TimeLeft) -> bool:
        """Tell what was raised and not told, as its teller was cut off or the topic did not answer."""
        told: set[str] = set()
        # What was told a moment ago may still be read as untold.
        while untold := [each for each in self._long_untold() if each.alert_id not in told]:
            done = self._ports.tell(untold)
            told |= {each.alert_id for each in untold}
            self._meter.count("Untold", len(untold) - done)
            if done < len(untold):
                break  # the topic does not answer: what waits for it is all for the next run
            if not time_left():
                return False
        self._meter.count("Untold", 0)
        return True

    def _long_untold(self) -> list[Alert]:
        latest = self._ports.clock() - _TELLING
        return [each for each in self._ports.untold(_TOGETHER) if each.raised_at < latest]

    def find_dead(self, time_left: TimeLeft) -> bool:
        """Mark what was given up without a word, as its consumer was killed each time."""
        self._ports.find_dead()
        return True

    def audit(self, time_left: TimeLeft) -> bool:
        """Follow what was accepted to its fate, and send again what never came to one."""
        schedule, now = self._ports.schedule, self._ports.clock()

        def in_time() -> bool:
            return time_left() and self._ports.clock() - now < _AUDITED_FOR

        settled = settle(
            _WhileTime(self._ports.queue, in_time),
            self._ports.ledger,
            self._ports.send,
            watermark=schedule.last(AUDITED) or 0,
            now=now,
            before=schedule.last(_LOOKED),
        )
        whole = in_time()
        # Where nothing is open, nothing is up to the moment that was looked to, and not only to the last one.
        schedule.done(AUDITED, now - UNSURE if whole and not settled.open else settled.watermark)
        self._meter.count("AuditGap", settled.gap)
        self._meter.count("SentAgain", settled.sent)
        log.info("audited", accepted=settled.looked_at, open=settled.open, sent=settled.sent, gap=settled.gap)
        # Also where it was cut off: else the next run sends the same again, and a long queue feeds on itself.
        schedule.done(_LOOKED, now)
        return whole or time_left()

    def seal_due(self, time_left: TimeLeft) -> bool:
        """Seal each window that has ended."""
        return self._seal_each(_SEALED, self._sweep_delay, time_left)

    def seal_once_more(self, time_left: TimeLeft) -> bool:
        """Seal each window a second time, when an index that lagged for minutes has caught up."""
        return self._seal_each(_SEALED_TWICE, _CAUGHT_UP, time_left)

    def _seal_each(self, job: str, delay: int, time_left: TimeLeft) -> bool:
        """Seal what ended so long ago; a new stack begins with the window before its first run."""
        newest = (self._ports.clock() - delay) // SEALED * SEALED - SEALED
        last = self._ports.schedule.last(job)
        if last is None:
            last = (self._ports.schedule.last(_SEALED) or newest) - SEALED
            self._ports.schedule.done(job, last)
        for start in range(last + SEALED, newest + 1, SEALED):
            if not time_left():
                return False
            self._seal(start)
            self._ports.schedule.done(job, start)
        return True

    def sweep_due(self, time_left: TimeLeft) -> bool:
        """Run each sweep that has become due since the last one ran."""
        ports, policy = self._ports, self._ports.policy()
        settled = ports.schedule.last(AUDITED) or 0
        every, now = policy.sweep.every, ports.clock()
        newest = (now - self._sweep_delay) // every * every
        last = ports.schedule.last(_SWEPT)
        # Kept in milliseconds, as a policy may change how often.
        for at in range(newest if last is None else last // every * every + every, newest + 1, every):
            if settled < at and now < at + PATIENCE:
                return True  # what is in flight is to be in it: a later run comes back
            if not time_left():
                return False
            self._sweep(policy, at)
        return True

    def _sweep(self, policy: Policy, at: int) -> None:
        ports = self._ports
        swept = sweep(
            policy, ports.archive, ports.alerts, at=at, window=policy.sweep.window, now=ports.clock()
        )
        if swept.new_alerts:  # what is not to be read yet, the next run tells
            found = {each.transaction_id for each in swept.findings}
            untold = ports.untold(len(found) + _TOGETHER)
            ports.tell([each for each in untold if each.transaction_id in found])
        ports.schedule.done(_SWEPT, at)
        self._meter.count("Swept")
        self._meter.count("Findings", len(swept.findings))
        log.info(
            "swept",
            at=at,
            transactions=swept.transactions,
            findings=len(swept.findings),
            alerts=swept.new_alerts,
        )

    def learn(self, time_left: TimeLeft) -> bool:
        """Learn the labels that are known; what takes too long is for the next run."""
        self._ports.learn(time_left)
        return time_left()

    def seal_again(self, time_left: TimeLeft) -> bool:
        """Seal the windows into which something came after they were sealed."""
        sealed_until, now = self._ports.schedule.last(_SEALED), self._ports.clock()
        for start, marked_at in self._ports.marks.all():
            if sealed_until is None or start > sealed_until:
                continue  # it is sealed when it is due
            if marked_at >= now - QUIET:
                continue  # what it marks may still be on its way: the next run sees it whole
            if not time_left():
                return False
            self._seal(start, marked_at)
        return True

    def _seal(self, start: int, marked: int | None = None) -> None:
        ports = self._ports
        try:
            held = seal(start, ports.ledger, ports.chunks, ports.marks, now=ports.clock(), marked=marked)
        except Contended as error:
            log.info("sealed_by_another", start=start, cause=str(error))
            return
        except (
            Damaged
        ) as error:  # one that cannot be read must not stop all after it; it is read by the index
            log.error("window_not_sealed", start=start, cause=str(error))
            return
        self._meter.count("Sealed")
        log.info("sealed", start=start, transactions=held)


class _WhileTime:
    """A queue that seems to end where time runs out: what follows it keeps how far it came."""

    def __init__(self, queue: Queue, time_left: TimeLeft) -> None:
        self._queue = queue
        self._time_left = time_left

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """As the queue says, as long as there is time."""
        return self._queue.ids(after, limit) if self._time_left() else []

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """As the queue does."""
        return self._queue.append(entries)

    def read(self, after: int, limit: int) -> list[Message]:
        """As the queue says."""
        return self._queue.read(after, limit)

    def find(self, transaction_id: str) -> Message | None:
        """As the queue says."""
        return self._queue.find(transaction_id)

    def last(self) -> int:
        """As the queue says."""
        return self._queue.last()
