"""The durable ingest path: POST /transactions, driven by wrk on the same machine.

python benchmarks/ingest.py [--seconds 10] [--connections 128] [--worker] [--json]

Each answer that is not refused is a 202 for a transaction on disk. Without --worker the gateway runs alone;
with it the whole pipeline does, and shares the processors.
"""

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
from multiprocessing import get_context
from pathlib import Path
from socket import socket

from shroff.adapters.sqlite import SqliteQueue
from shroff.runtimes.embedded.gateway_process import serve_gateway
from shroff.runtimes.embedded.serve import serve

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
_LATENCIES = ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
_FIGURES = re.compile(r"^FIGURES ([\d ]+)$", re.MULTILINE)


def run(data: Path, port: int, worker: bool) -> None:
    """Serve until SIGTERM, in a process of its own."""
    if worker:
        serve(data, "127.0.0.1", port)
    else:
        serve_gateway(data, "127.0.0.1", port, require_key=False)


@contextmanager
def serving(data: Path, *, worker: bool) -> Iterator[str]:
    """The address of a running gateway that never has too much in flight."""
    (data / "settings.toml").write_text("high_water = 1000000000\nrequire_key = false\nlog_alerts = false\n")
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = get_context("spawn").Process(target=run, args=(data, port, worker))
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


def measure(seconds: int, connections: int, *, worker: bool) -> dict[str, float]:
    """Requests a second and latencies in milliseconds, and what the queue holds afterwards."""
    with tempfile.TemporaryDirectory(prefix="shroff-ingest-") as folder:
        data = Path(folder)
        script = data / "post.lua"
        script.write_text(_LUA)
        with serving(data, worker=worker) as address:
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), address]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        queue = SqliteQueue(data / "queue.db")
        stored = queue.last()
        queue.close()
    found = _FIGURES.search(said)
    if found is None:
        raise RuntimeError(f"wrk said nothing that is understood:\n{said}")
    answered, micros, refused, broken, *latencies = map(int, found[1].split())
    return {
        "connections": connections,
        "requests_per_s": round(answered / micros * 1e6),
        "answered": answered,
        "refused": refused,
        "broken": broken,
        "stored": stored,
        **{name: each / 1_000 for name, each in zip(_LATENCIES, latencies, strict=True)},
    }


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--worker", action="store_true", help="decide what is accepted, too")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk, the load generator, is missing; on Debian and Ubuntu: apt-get install wrk")
    figures = measure(asked.seconds, asked.connections, worker=asked.worker)
    if asked.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<24}{figure:>14,}\n")


if __name__ == "__main__":
    main()
