"""Playing the demo from an empty folder to the final table."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

from rich.console import Console
from rich.live import Live

from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected
from shroff.flows.audit import audit
from shroff.flows.ingest import entry_of_members
from shroff.runtimes.demo.score import Score, score
from shroff.runtimes.demo.show import final, line, live
from shroff.runtimes.demo.traffic import Sent, post
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.embedded.locks import SERVE, held
from shroff.runtimes.wiring import wall_clock
from shroff.runtimes.wiring.embedded import Embedded, open_embedded
from shroff.simulator import Day, simulate_days

HISTORY_DAYS, CUSTOMERS, FRAUD_RATE = 5, 1_000, 0.02
_DAY, _HOUR = 86_400_000, 3_600_000
_DAYS_BACK = HISTORY_DAYS + 35
"""Far enough back that a demo left running for half an hour never posts from the future."""
_MARK = "this-is-a-demo"
_SETTINGS = """# The demo plays a simulated day a minute: sweeps and reports go by the newest transaction.
clock = "events"
sweep_delay = 0.0
log_alerts = false
"""


def play(data: Path, *, host: str, port: int, seconds: float | None, seed: int, stop: Event) -> Score:
    """Play until `stop` is set or the seconds are over; returns what was caught of the live part."""
    console = Console() if sys.stdout.isatty() else Console(width=120)
    _fresh(data)
    port = _free_port(host, port)
    # Eight in the morning: whoever starts the demo need not watch a night first.
    start = wall_clock() // _DAY * _DAY - _DAYS_BACK * _DAY + 8 * _HOUR
    days = simulate_days(days=1_000_000, customers=CUSTOMERS, seed=seed, start=start, fraud_rate=FRAUD_RATE)
    embedded = open_embedded(data)
    console.print(
        f"Playing {HISTORY_DAYS} simulated days of {CUSTOMERS:,} customers, so that windows are warm …"
    )
    began = time.monotonic()
    count = _history(islice(days, HISTORY_DAYS), embedded)
    took = time.monotonic() - began
    console.print(f"{count:,} transactions accepted and decided in {took:.1f} s ({count / took:,.0f}/s).")
    sent = Sent()
    with _served(data, host, port):
        console.print(_where(data, host, port))
        sender = Thread(target=post, args=(chain.from_iterable(days), sent, host, port, stop), name="traffic")
        sender.start()
        try:
            _watch(console, embedded, sent, seconds, stop)
        finally:
            stop.set()
            sender.join()
        _settle(embedded)
    found = score((record for part in embedded.store.ledger.history(count) for record in part), sent.truth)
    console.print(final(found))
    _sum_up(console, embedded)
    embedded.close()
    return found


def _fresh(data: Path) -> None:
    """An empty folder: only what an earlier demo left may be in its way."""
    if data.exists() and any(data.iterdir()):
        if not (data / _MARK).exists():
            raise Rejected([Fault("data", f"{data} holds something that is no demo; give an empty --data")])
        with held(data, SERVE) as free:
            if not free:
                raise Rejected(
                    [Fault("data", f"a demo is running in {data}; stop it, or give another --data")]
                )
            shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / _MARK).write_text("Made by `shroff demo`, which empties it when it starts again.\n")
    (data / "settings.toml").write_text(_SETTINGS)


def _free_port(host: str, port: int) -> int:
    """The port, or one that the system gives where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _history(days: Iterable[Day], embedded: Embedded) -> int:
    """Accept and decide some days at once, in this process; returns how many transactions they had."""
    worker = worker_over(embedded)
    worker.start()
    count = 0
    for day in days:
        entries = [
            entry_of_members(each.body, currency=embedded.settings.currency, received_at=wall_clock())
            for each in day
        ]
        embedded.queue.append(entries)
        while worker.step():
            pass
        count += len(entries)
    worker.snapshot()
    return count


@contextmanager
def _served(data: Path, host: str, port: int) -> Iterator[None]:
    """A `shroff serve` of its own, stopped at the end; its log goes into the folder."""
    command = [
        sys.executable,
        "-m",
        "shroff",
        "serve",
        "--data",
        str(data),
        "--host",
        host,
        "--port",
        str(port),
    ]
    with (data / "serve.log").open("w") as log:
        # In a session of its own: a Ctrl-C is for the demo, which stops it in order.
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603  # ourselves
    try:
        _until_ready(server, f"http://{host}:{port}/ready", data)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _until_ready(server: subprocess.Popen[bytes], address: str, data: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(address, timeout=1):  # noqa: S310  # our own server
                return
        except OSError:
            time.sleep(0.05)
    raise Rejected([Fault("serve", f"the server did not start; {data / 'serve.log'} says why")])


def _watch(console: Console, embedded: Embedded, sent: Sent, seconds: float | None, stop: Event) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    watching = console.is_terminal

    def over() -> bool:
        return until is not None and time.monotonic() >= until

    if watching:
        with Live(console=console, refresh_per_second=4) as display:
            while not over() and not stop.wait(0.25):
                display.update(live(sent, *_numbers(embedded), _swept(embedded), _newest_alerts(embedded)))
        return
    while not over() and not stop.wait(min(5.0, max(0.0, (until or 1e18) - time.monotonic()))):
        console.print(line(sent, *_numbers(embedded), _swept(embedded)), soft_wrap=True)


def _numbers(embedded: Embedded) -> tuple[dict[str, int], int]:
    totals = embedded.store.ledger.totals()
    waiting = embedded.queue.last() - embedded.store.ledger.position()
    return totals, waiting + totals["retrying"]


def _swept(embedded: Embedded) -> str:
    last = embedded.store.schedule.last("sweep")
    return "not yet" if last is None else f"every 5 minutes, up to {instant(last)[11:16]}"


def _newest_alerts(embedded: Embedded, most: int = 8) -> list[Alert]:
    position = max(0, embedded.store.ledger.totals()["alerts"] - most)
    return [alert for _, alert in reversed(embedded.store.alerts.after(position, most))]


def _settle(embedded: Embedded) -> None:
    deadline = time.monotonic() + 10
    while _numbers(embedded)[1] and time.monotonic() < deadline:
        time.sleep(0.05)


def _where(data: Path, host: str, port: int) -> str:
    address = f"http://{host}:{port}"
    return (
        f"Live now, a simulated day a minute. Look at {address}/metrics, post to {address}/transactions,\n"
        f"or ask: shroff audit --data {data}   shroff transactions show ID --data {data}   (Ctrl-C ends it)\n"
    )


def _sum_up(console: Console, embedded: Embedded) -> None:
    found = audit(embedded.queue, embedded.store.ledger)
    console.print(
        f"audit: {found.accepted:,} accepted = {found.decided:,} decided "
        f"+ {found.dead_lettered} dead-lettered + {found.in_flight} in flight, {len(found.missing)} missing",
        soft_wrap=True,
    )
    for report in sorted((embedded.data / "reports").glob("*/*.html"))[-3:]:
        console.print(f"report: {report}", soft_wrap=True)
