"""A real `shroff serve` on a free port of the loopback, and its processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shroff.flows.audit import audit
from shroff.runtimes.wiring.embedded import open_embedded

SHROFF = (sys.executable, "-m", "shroff")


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    data: Path
    port: int

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def children(self) -> dict[str, int]:
        """Process ids of the gateway and the worker."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        found = {}
        for child in [int(each) for task in tasks for each in task.read_text().split()]:
            command = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            if "shroff.runtimes.embedded.worker_process" in command:
                found["worker"] = child
            elif "resource_tracker" not in " ".join(command):
                found["gateway"] = child
        return found

    def kill(self, which: str) -> None:
        os.kill(self.process.pid if which == "parent" else self.children()[which], signal.SIGKILL)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data: Path, port: int | None = None, *, environment: dict[str, str] | None = None) -> Server:
    port = port or free_port()
    data.mkdir(parents=True, exist_ok=True)
    with (data / "serve.log").open("ab") as log:
        command = [*SHROFF, "serve", "--data", str(data), "--port", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    server = Server(process, data, port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if server.request("GET", "/health")[0] == 200:
                return server
        except OSError:
            time.sleep(0.05)
        if process.poll() is not None:
            break
    server.stop()
    raise AssertionError(f"did not start: {(data / 'serve.log').read_text()[-2000:]}")


@contextmanager
def serving(data: Path, **options: Any) -> Iterator[Server]:
    server = start(data, **options)
    try:
        yield server
    finally:
        server.stop()


def shroff(
    *arguments: object, check: bool = True, seconds: float = 110, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [*SHROFF, *map(str, arguments)]
    variables = {**os.environ, **(environment or {})}
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, env=variables)
    assert not check or run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    return run


def answer(*arguments: object) -> Any:
    return json.loads(shroff(*arguments, "--json").stdout)


def until_decided(data: Path, seconds: float = 60) -> dict[str, Any]:
    """The audit, once nothing is in flight any more."""
    deadline = time.monotonic() + seconds
    embedded = open_embedded(data)
    try:
        while True:
            found = audit(embedded.queue, embedded.store.ledger)
            if found.in_flight == 0 or time.monotonic() > deadline:
                return dict(found.members())
            time.sleep(0.05)
    finally:
        embedded.close()


def transaction(number: int, **members: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"txn-{number:06d}",
        "amount": f"{10 + number % 90}.50",
        "timestamp": 1_700_000_000 + number,
        "customer_id": f"cust-{number % 50:03d}",
        "merchant": f"shop-{number % 20}",
        **members,
    }
