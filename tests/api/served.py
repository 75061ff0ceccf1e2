"""A gateway under Granian in a process of its own, and a stand-in for the worker.

Run as a program: python -m tests.api.served DATA PORT SETTINGS-AS-JSON
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from shroff.adapters.files.reports import FileReports
from shroff.adapters.sqlite import SqliteQueue, SqliteStore
from shroff.api.gateway.application import Gateway
from shroff.api.gateway.settings import GatewayPorts, GatewaySettings
from shroff.core.errors import Retryable
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.detect import detect
from shroff.flows.figures import newest_figures
from shroff.flows.publish import publish
from shroff.ports import Entry, Failure, Message, Queue, Receipt, Unsettled, Work

ROOT = Path(__file__).parents[2]
POLICY = """
[entities]
customer = "customer_id"
[features]
customer = ["count_1h", "amount_mean_1h"]
[lists.blocked]
field = "customer_id"
[[rules]]
name = "large"
when = "amount > 1000"
outcome = "review"
score = 0.5
reason = "A large amount"
"""


def now() -> int:
    return time.time_ns() // 1_000_000


def example(**members: Any) -> dict[str, Any]:
    """The example of the contract, with other members where they are given."""
    return {
        "transaction_id": "txn-12345",
        "amount": 99.99,
        "timestamp": 1700000000,
        "customer_id": "cust-001",
        "merchant": "Test Merchant",
    } | members


class Trouble:
    """A queue whose appends meet what a file beside it says: a full disk, a bug, a slow disk."""

    def __init__(self, queue: Queue, trouble: Path) -> None:
        self._queue = queue
        self._trouble = trouble

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        kind = self._trouble.read_text() if self._trouble.exists() else ""
        if kind == "full":
            raise Retryable("the disk is full")
        if kind == "bug":
            raise ZeroDivisionError("a secret detail")
        if kind == "slow":
            self._trouble.with_name("appending").touch()
            time.sleep(1.0)
        return self._queue.append(entries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


def gateway(data: Path, settings: dict[str, Any]) -> Gateway:
    queue, store = SqliteQueue(data / "queue.db"), SqliteStore(data / "store.db")
    reader, keeper = SqliteQueue(data / "queue.db"), SqliteStore(data / "store.db")

    def close() -> None:
        for each in (queue, reader, store, keeper):
            each.close()
        (data / "closed").touch()

    ports = GatewayPorts(
        queue=Trouble(queue, data / "trouble"),
        reader=reader,
        ledger=store.ledger,
        dead_letters=store.dead_letters,
        policies=store.policies,
        labels=keeper.labels,
        label_counts=store.labels.counts,
        changed=store.data_version,
        clock=now,
        keys=store.keys.all,
        figures=partial(newest_figures, FileReports(data / "reports")),
        close=close,
    )
    return Gateway(ports, GatewaySettings(**{"require_key": False, **settings}))


@dataclass
class Served:
    """A running gateway, its address, and the files that it and the tests share."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]
    client: httpx.Client
    queue: SqliteQueue
    store: SqliteStore
    policy: Policy
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = State.empty(self.policy.layouts, self.policy.base_currency, self.policy.rates)

    def trouble(self, kind: str) -> None:
        (self.data / "trouble").write_text(kind)

    def post(self, path: str = "/transactions", **members: Any) -> httpx.Response:
        return self.client.post(path, json=example(**members))

    def undecided(self) -> list[Message]:
        return self.queue.read(self.store.ledger.position(), 10_000)

    def decide(self) -> int:
        """What the worker does, once; returns how many messages there were."""
        messages = self.undecided()
        if messages:
            ledger = self.store.ledger
            work = detect(
                messages,
                policy=self.policy,
                state=self.state,
                fates=ledger.fates,
                lists=self.store.lists,
                now=now(),
            )
            ledger.commit(Work(position=messages[-1].seq, decided=work.decided, alerts=work.alerts))
        return len(messages)

    def bury(self, cause: str) -> None:
        """Give up all that is undecided."""
        dead = [
            Unsettled(
                message=Message(
                    seq=each.seq,
                    transaction_id=each.transaction_id,
                    body=each.body,
                    received_at=each.received_at,
                    failures=(Failure(at=now(), cause=cause),),
                ),
                due_at=None,
            )
            for each in self.undecided()
        ]
        self.store.ledger.commit(Work(position=dead[-1].message.seq, unsettled=dead))

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Decide whatever comes, until the block ends."""
        done = Event()

        def run() -> None:
            while not done.is_set():
                if not self.decide():
                    time.sleep(0.002)

        thread = Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def serving(data: Path, **settings: Any) -> Iterator[Served]:
    """A gateway on a free loopback port, stopped at the end."""
    queue, store = SqliteQueue(data / "queue.db"), SqliteStore(data / "store.db")
    policy, _ = publish(store.policies, POLICY, now())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.api.served", str(data), str(port), json.dumps(settings)]
    log = (data / "log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=20) as client:
            _await_health(client, process, data / "log")
            yield Served(url, data, process, client, queue, store, policy)
    finally:
        _end(process)
        log.close()
        queue.close()
        store.close()


def _await_health(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            assert client.get("/health").status_code == 200
            return
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the gateway does not come up:\n{log.read_text()}") from None
            time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """However the test went, leave no process of this group behind."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    data, port, settings = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    server = Granian(
        "gateway",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.auto,
        websockets=False,
        log_level=LogLevels.warning,
    )
    loader: Any = partial(gateway, data, settings)
    server.serve(target_loader=loader, wrap_loader=False)


if __name__ == "__main__":
    main()
