"""How long the features of a labelled history take, day by day with the labels learned as they become known.

python -m benchmarks.history FILE --map member=COLUMN ... [--policy POLICY] [--delay-days 7]
    [--python PYTHON] [--runs 3] [--json]

Beside them what pandas, Polars and River take for the part of the same features that they have rolling
functions for, on one core, in processes of their own: those of PYTHON, where this one has no pandas. Times of
Shroff are medians of the runs, with the least and the most. Without a file simulated customers are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np

from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import read_history
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import NEVER, Timeline, days_together, maturing, span
from shroff.flows.load import mapping_of
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.embedded import open_rows

PEERS = {
    name: Path(__file__).parent / "peers" / f"{name}_features.py" for name in ("pandas", "polars", "river")
}


def ours(history: History, policy: str, delay: int, runs: int) -> dict[str, Any]:
    """Seconds of the fold, after a part that does not count, which compiles."""
    read = read_policy(policy)
    known_at, spans = maturing(history, delay), list(days_together(history))
    walls, processors = [], []
    for run in range(runs + 1):
        line = Timeline(policy=read, history=history, measure=observe, known_at=known_at)
        wall, processor = perf_counter(), process_time()
        for start, end in spans if run else spans[:1]:
            line.live(span(history, start, end), end)
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    seconds = statistics.median(processors[1:])
    return {
        "seconds": round(statistics.median(walls[1:]), 1),
        "cpu_seconds": round(seconds, 1),
        "least": round(min(processors[1:]), 1),
        "most": round(max(processors[1:]), 1),
        "columns": len(read.feature_names),
        "us_a_row": round(seconds / len(history) * 1e6, 1),
    }


def theirs(history: History, delay: int, python: str) -> dict[str, Any]:
    """What the peers say, each on one core, or why they say nothing."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "history.npz"
        batch = history.batch
        columns = (batch.keys([member]) for member in ("customer_id", "merchant"))
        people, shops = (np.unique(np.array(keys, str), return_inverse=True)[1] for keys in columns)
        np.savez(
            place, when=batch.occurred_at, customer=people, merchant=shops,
            amount=batch.amount_minor / 100, fraud=history.fraud,
        )  # fmt: skip
        return {name: _told(python, file, place, delay) for name, file in PEERS.items()}


def _told(python: str, file: Path, place: Path, delay: int) -> dict[str, Any]:
    command = [python, str(file), str(place), str(delay / DAY)]
    one_core = {**os.environ, "POLARS_MAX_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=one_core)
    if run.returncode:
        return {"left out": run.stderr.strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def simulated(folder: Path) -> tuple[Path, list[str]]:
    """Sixty days of a thousand customers, and how their file is mapped."""
    place = folder / "history.ndjson"
    command = [sys.executable, "-m", "shroff", "simulate", "--customers", "1000", "--days", "60"]
    subprocess.run([*command, "--out", str(place)], check=True, capture_output=True)
    return place, ["label=fraud"]


def main() -> None:
    """Print both, as JSON or as lines."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("file", nargs="?", type=Path)
    asked.add_argument("--map", action="append", default=[])
    asked.add_argument("--policy", type=Path)
    asked.add_argument("--delay-days", type=int, default=7)
    asked.add_argument("--python", default=sys.executable)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    policy = default_policy() if given.policy is None else given.policy.read_text("utf-8")
    with TemporaryDirectory() as folder:
        file, mapping = (given.file, given.map) if given.file else simulated(Path(folder))
        rows, begun = open_rows(file, mapping_of(mapping)), process_time()
        history = read_history(
            rows, currency=read_policy(policy).base_currency, until=NEVER, show=lambda *_: None
        )
    read = {"cpu_seconds": round(process_time() - begun, 1)}
    delay = given.delay_days * DAY
    told = {"the file is read in": read, "shroff": ours(history, policy, delay, given.runs)}
    told |= theirs(history, delay, given.python)
    if given.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        sys.stdout.write(json.dumps({**machine, "transactions": len(history), **told}) + "\n")
        return
    sys.stdout.write(f"{len(history):,} transactions\n")
    for name, figures in told.items():
        sys.stdout.write(f"{name}: {', '.join(f'{key} {value}' for key, value in figures.items())}\n")


if __name__ == "__main__":
    main()
