"""The durable ingest path: Granian, the gateway and a SQLite queue, driven by wrk on the same machine."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from socket import socket

from granian import Granian

from shroff.adapters.sqlite import SqliteQueue, SqliteStore
from shroff.api.gateway import Gateway, GatewayPorts, GatewaySettings

# Distinct ids: each thread of wrk counts for itself.
_LUA = """
local threads, counter = 0, 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function request()
  counter = counter + 1
  local body = string.format('{"transaction_id": "txn-%d-%d", "amount": 99.99, "timestamp": 1700000000, ' ..
    '"customer_id": "cust-%03d", "merchant": "Test Merchant"}', id, counter, counter % 1000)
  return wrk.format("POST", "/transactions", {["Content-Type"] = "application/json"}, body)
end
function done(summary, latency)
  io.write(string.format("FIGURES %d %d %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write +
    summary.errors.timeout, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9)))
end
"""
_FIGURES = re.compile(r"^FIGURES ([\d ]+)$", re.MULTILINE)


def gateway(data: Path) -> Gateway:
    """A gateway over files in a folder, as the runtime wires it."""
    queue, store = SqliteQueue(data / "queue.db"), SqliteStore(data / "store.db")
    ports = GatewayPorts(
        queue=queue,
        reader=SqliteQueue(data / "queue.db"),
        ledger=store.ledger,
        dead_letters=store.dead_letters,
        policies=store.policies,
        changed=store.data_version,
        clock=lambda: time.time_ns() // 1_000_000,
        close=queue.close,
    )
    # Nothing decides here: what is accepted stays in flight.
    return Gateway(ports, GatewaySettings(require_key=False, high_water=100_000_000))


def serve(data: Path, port: int, loop: str, interval: float) -> None:
    """Run Granian in this process until SIGTERM."""
    server = Granian(
        "shroff", address="127.0.0.1", port=port, interface="rsgi", workers=1, loop=loop, http="1",
        websockets=False, backlog=2048, backpressure=4096, log_level="warning", process_name=None,
    )  # fmt: skip
    sys.setswitchinterval(interval)
    server.serve(target_loader=partial(gateway, data), wrap_loader=False)


@contextmanager
def serving(data: Path, loop: str, interval: float) -> Iterator[str]:
    """The address of a gateway in a process of its own."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = get_context("spawn").Process(target=serve, args=(data, port, loop, interval))
    process.start()
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/ready")
        yield address
    finally:
        process.terminate()
        process.join()


def _await(url: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def measure(seconds: int, connections: int, loop: str, interval: float) -> dict[str, float]:
    """Requests a second and latencies in milliseconds, and what the queue holds afterwards."""
    with tempfile.TemporaryDirectory(prefix="shroff-ingest-") as folder:
        data = Path(folder)
        script = data / "post.lua"
        script.write_text(_LUA)
        with serving(data, loop, interval) as address:
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), address]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = _FIGURES.search(said)
        if found is None:
            raise RuntimeError(f"wrk said nothing that is understood:\n{said}")
        requests, micros, refused, broken, *latencies = map(int, found[1].split())
        queue = SqliteQueue(data / "queue.db")
        stored = queue.last()
        queue.close()
    p50, p90, p99, p999 = (each / 1_000 for each in latencies)
    return {
        "connections": connections,
        "requests_per_s": round(requests / micros * 1e6),
        "refused": refused,
        "broken": broken,
        "answered": requests,
        "stored": stored,
        "p50_ms": p50,
        "p90_ms": p90,
        "p99_ms": p99,
        "p999_ms": p999,
    }


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--loop", default="auto")
    parser.add_argument("--interval", type=float, default=0.005)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk, the load generator, is missing; on Debian and Ubuntu: apt-get install wrk")
    figures = measure(asked.seconds, asked.connections, asked.loop, asked.interval)
    if asked.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<24}{figure:>14,}\n")


if __name__ == "__main__":
    main()
