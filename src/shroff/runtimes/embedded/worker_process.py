"""The worker's process: its main thread decides; clerk and notifiers beside it have their own connections.

It lives as long as its standard input stays open, so it outlives no parent, however that one ends.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import structlog

from shroff.core.errors import Rejected
from shroff.flows.notify import begin, notify
from shroff.ports import Channel
from shroff.runtimes.embedded.clerk import Clerk, ClerkPorts
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.embedded.locks import WORKER, held
from shroff.runtimes.jobs import write_report
from shroff.runtimes.logs import configure_logs
from shroff.runtimes.wiring import wall_clock
from shroff.runtimes.wiring.command import opened_of
from shroff.runtimes.wiring.embedded import Embedded, channels, open_embedded

log = structlog.get_logger()

_NOTIFY_EVERY, _AFTER_FAILURE = 0.5, 10.0
_YOUNG = 20_000
"""Objects made after which Python looks for those that only keep each other, in place of its 700."""


ONLY_DECIDE = "--only-decide"
"""Leaves out clerk and notifiers: an import decides history, and tells nobody by itself."""


def run(data: Path, *, only_decide: bool = False) -> None:
    """Decide until standard input ends."""
    stop = Event()
    _watch_parent(stop)
    with held(data, WORKER) as had:
        if not had:
            log.warning("worker_waits", data=str(data), cause="another worker decides in this folder")
            stop.wait(1.0)
            return
        embedded = open_embedded(data)
        helpers = [] if only_decide else list(_helpers(embedded, stop))
        for helper in helpers:
            helper.start()
        try:
            worker = worker_over(embedded)
            worker.start()
            # A batch makes tens of thousands of objects that go together: looking through them a hundred
            # times on the way took 6 % of all time.
            gc.freeze()
            gc.set_threshold(_YOUNG)
            log.info("worker_ready")
            worker.run(stop.wait)
            embedded.snapshots.at_once()
            worker.snapshot()
        finally:
            stop.set()
            for helper in helpers:
                helper.join()
            embedded.close()
    log.info("worker_stopped")


def _watch_parent(stop: Event) -> None:
    # A terminal's Ctrl-C goes to every process: the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # unbuffered: a thread inside a buffer would break the exit
            pass
        stop.set()

    Thread(target=watch, name="parent", daemon=True).start()


def _helpers(embedded: Embedded, stop: Event) -> Iterator[Thread]:
    yield Thread(target=_live, args=(_clerk, embedded.data, stop), name="clerk")
    for channel in channels(embedded.settings):
        begin(channel, embedded.store.alerts, embedded.store.deliveries)
        notifier = partial(_notifier, channel=channel)
        yield Thread(target=_live, args=(notifier, embedded.data, stop), name=f"notify-{channel.name}")


def _live(work: Callable[[Embedded, Event], None], data: Path, stop: Event) -> None:
    """Do a thread's work; where it cannot go on, end the process: its parent starts it anew, whole."""
    try:
        embedded = open_embedded(data)
        try:
            work(embedded, stop)
        finally:
            embedded.close()
    except Exception:
        log.exception("helper_died")
        stop.set()


def _clerk(embedded: Embedded, stop: Event) -> None:
    store, settings = embedded.store, embedded.settings
    events = settings.clock == "events"
    ports = ClerkPorts(
        queue=embedded.queue,
        ledger=store.ledger,
        alerts=store.alerts,
        policies=store.policies,
        schedule=store.schedule,
        report=lambda day: list(write_report(day, opened_of(embedded)).places),
        clock=embedded.newest if events else wall_clock,
        wall=wall_clock,
    )
    clerk = Clerk(ports, sweep_delay=int(settings.sweep_delay * 1000), report_hour=settings.report_hour)
    clerk.run(stop.wait)


def _notifier(embedded: Embedded, stop: Event, *, channel: Channel) -> None:
    pause = _NOTIFY_EVERY
    while not stop.wait(pause):
        pause = _NOTIFY_EVERY
        try:
            notify(channel, embedded.store.alerts, embedded.store.deliveries, wall_clock())
        except Exception:  # an alert that cannot be told must not end the telling, nor fill the log
            log.exception("notification_failed", again_in=_AFTER_FAILURE)
            pause = _AFTER_FAILURE


if __name__ == "__main__":
    only_decide = ONLY_DECIDE in sys.argv[2:]
    configure_logs(logging.WARNING if only_decide else logging.INFO)
    try:
        run(Path(sys.argv[1]), only_decide=only_decide)
    except Rejected as error:
        log.error("worker_cannot_work", cause=str(error))
        sys.exit(1)
