"""What the benchmarks of a running server share: folder, process tree, load, figures of /proc."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from socket import socket
from typing import Any, TextIO

from benchmarks.trees import TREES, made

CUSTOMERS = 300_000
_POLL, _PATIENCE, _TICKS = 0.02, 120.0, os.sysconf("SC_CLK_TCK")


def shroff(*words: str | Path) -> str:
    """What a command of the real CLI prints."""
    command = [sys.executable, "-m", "shroff", *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tails(path: Path, customers: int = CUSTOMERS) -> int:
    """Write a day of simulated payments, each without its id, its time and what it truly is; how many."""
    many = 0
    whole = path.with_suffix(".ndjson")
    shroff("simulate", "--out", whole, "--days", "1", "--customers", str(customers))
    with whole.open() as rows, path.open("w") as kept:
        for row in rows:
            members = json.loads(row)
            for name in ("transaction_id", "timestamp", "fraud", "typology"):
                del members[name]
            members = {name: value for name, value in members.items() if value is not None}
            kept.write(json.dumps(members, separators=(",", ":"))[1:] + "\n")
            many += 1
    return many


def made_hot(rows: Path) -> Path:
    """The same rows, all of one customer at one merchant: velocity rules hit each."""
    hot = rows.with_name("hot")
    hot.write_bytes(re.sub(rb'"(customer_id|merchant)":"[^"]*"', rb'"\1":"one"', rows.read_bytes()))
    return hot


def prepare(data: Path) -> None:
    """A data folder with the default policy and a promoted model of 300 trees."""
    document = made()
    data.mkdir(parents=True, exist_ok=True)
    said = shroff("model", "import", document, "--data", data)
    shroff("model", "promote", said.split()[1], "--data", data)


@dataclass(frozen=True, slots=True)
class Server:
    """A running `shroff serve`, with its whole process tree."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float

    def processes(self) -> list[int]:
        """The ids of the parent and of all below it."""
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(stat.parent.name))
        found = [self.process.pid]
        for each in found:
            found += parents.get(each, [])
        return found

    def memory_mb(self) -> float:
        """Proportional set size of all of them."""
        return round(sum(_number(each, "smaps_rollup", "Pss:") for each in self.processes()) / 1_024, 1)

    def written_bytes(self) -> int:
        """What they had the disk write up to now."""
        return sum(_number(each, "io", "write_bytes:") for each in self.processes())

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds up to now, of the gateway and of the worker."""
        ticks = {"gateway": 0, "worker": 0}
        for each in self.processes():
            # The parent sets what it tells the gateway after it has started the worker.
            told = b"SHROFF_GATEWAY_DATA" in Path(f"/proc/{each}/environ").read_bytes()
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks["gateway" if told else "worker"] += int(fields[11]) + int(fields[12])
        return {name: spent / _TICKS for name, spent in ticks.items()}

    def cpu_us(self, before: dict[str, float], many: int) -> dict[str, float]:
        """Processor microseconds a transaction since then; what is neither's is counted as the worker's."""
        now = self.cpu_s()
        each = {f"{name}_cpu_us": round((now[name] - before[name]) / many * 1e6, 1) for name in now}
        return {**each, "cpu_us": round(sum(each.values()), 1)}

    def accepted(self) -> int:
        """How many transactions the queue holds."""
        return _one(self.data / "queue.db", "SELECT coalesce(max(seq), 0) FROM messages")

    def decided(self) -> int:
        """How many decisions the store holds."""
        return decided(self.data)

    def drain(self) -> None:
        """Wait until all that is accepted is decided and stored."""
        until = time.monotonic() + _PATIENCE
        while self.decided() < self.accepted():
            if time.monotonic() > until:
                raise RuntimeError(
                    f"{self.accepted() - self.decided()} are not decided after {_PATIENCE:g} s"
                )
            time.sleep(_POLL)

    def lags_ms(self, after: int) -> list[float]:
        """From accepted to decided, of what was stored after a place, in order of size."""
        asked = "SELECT decided_at - received_at FROM records WHERE seq > ? ORDER BY 1"
        with closing(_opened(self.data / "store.db")) as store:
            return [float(lag) for (lag,) in store.execute(asked, (after,))]

    def audit(self) -> dict[str, Any]:
        """What `shroff audit` says; raises where anything is lost."""
        told: dict[str, Any] = json.loads(shroff("audit", "--data", self.data, "--json"))
        if told["missing"] or told["accepted"] != told["decided"]:
            raise RuntimeError(f"the audit finds something lost or undecided: {told}")
        return told


def decided(data: Path) -> int:
    """How many decisions the store of a data folder holds."""
    return _one(data / "store.db", "SELECT coalesce(max(seq), 0) FROM records")


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """`shroff serve` on a free port of the loopback address until the end of the block."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "shroff", "serve", "--data", str(data), "--port", str(port)]
    began = time.monotonic()
    with (data.parent / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not _answers(f"http://127.0.0.1:{port}/ready"):
            if process.poll() is not None or time.monotonic() > began + _PATIENCE:
                raise RuntimeError(f"shroff serve did not start:\n{(data.parent / 'serve.log').read_text()}")
            time.sleep(_POLL)
        yield Server(data, port, process, round(time.monotonic() - began, 2))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def offered(server: Server, rows: Path, path: str, rate: int, seconds: int, warm: int = 3) -> dict[str, Any]:
    """What an open loop of so many requests a second met, in a process of its own: `benchmarks.offered`."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.offered",
        str(rows),
        f"--port={server.port}",
        f"--path={path}",
    ]
    command += [f"--rate={rate}", f"--seconds={seconds}", f"--warm={warm}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told: dict[str, Any] = json.loads(said)
    return told


def percentiles(ordered: Sequence[float]) -> dict[str, float]:
    """Of figures in order of size: the median and both tails, the nearest rank."""
    if not ordered:
        return {}
    last = len(ordered) - 1
    wanted = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999, "most_ms": 1.0}
    return {name: round(ordered[round(share * last)], 2) for name, share in wanted.items()}


def machine() -> dict[str, Any]:
    """What it ran on, and with what."""
    model = [row.partition(": ")[2] for row in _lines("/proc/cpuinfo") if row.startswith("model name")]
    versions = {name: version(name) for name in ("shroff", "granian", "numpy", "msgspec")}
    return {
        "cpu": model[0] if model else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load before": round(os.getloadavg()[0], 1),
        "trees": TREES,
        **versions,
    }


def spread(runs: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """Of each figure the median, the least and the most of the runs."""
    names = dict.fromkeys(name for run in runs for name in run)
    told = {name: [run[name] for run in runs if name in run] for name in names}
    return {name: [round(statistics.median(of), 3), min(of), max(of)] for name, of in told.items()}


def asked(description: str | None, *, seconds: int, repeat: int) -> argparse.Namespace:
    """The options that these benchmarks share."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=shape)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=int, default=seconds, help="of load in each measurement")
    parser.add_argument("--repeat", type=int, default=repeat, help="each on a fresh data folder")
    return parser.parse_args()


def show(parts: dict[str, dict[str, list[float]]], *, as_json: bool, to: TextIO = sys.stdout) -> None:
    """Print the parts, a figure a line: the median, and the least and the most of the runs."""
    ran = machine()
    if as_json:
        to.write(json.dumps({"machine": ran, "figures": parts}) + "\n")
        return
    to.write(", ".join(f"{name} {value}" for name, value in ran.items()) + "\n")
    for part, figures in parts.items():
        to.write(f"\n{part:<40}{'median':>14}{'least':>14}{'most':>14}\n")
        rows = ((name, "".join(f"{number:>14,}" for number in of)) for name, of in figures.items())
        to.writelines(f"{name:<40}{numbers}\n" for name, numbers in rows)


def folder() -> tempfile.TemporaryDirectory[str]:
    """A place for data that goes away."""
    return tempfile.TemporaryDirectory(prefix="shroff-bench-")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except OSError:
        return False


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _one(path: Path, asked: str) -> int:
    with closing(_opened(path)) as database:
        return int(database.execute(asked).fetchone()[0])


def _number(process: int, file: str, name: str) -> int:
    """A number of a process; 0 where it has just ended."""
    found = [row.split()[1] for row in _lines(f"/proc/{process}/{file}") if row.startswith(name)]
    return int(found[0]) if found else 0


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
