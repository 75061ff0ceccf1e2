"""How long the features of a labelled history take, day by day with the labels learned as they become known.

python -m benchmarks.history FILE --map member=COLUMN ... [--policy POLICY] [--delay-days 7]
    [--pandas PYTHON] [--json]

Beside them what pandas takes for the part of the same features that it has rolling functions for, in a
process of its own: that of PYTHON, where this one has no pandas. Without a file simulated customers are
measured.
"""

from __future__ import annotations

import argparse
import json
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
from shroff.flows.evaluate.timeline import NEVER, Timeline, maturing, span
from shroff.flows.load import mapping_of
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.embedded import open_rows

PEER = Path(__file__).parent / "peers" / "pandas_features.py"


def ours(history: History, policy: str, delay: int) -> dict[str, Any]:
    """Seconds of the fold, after the first day, which compiles."""
    read = read_policy(policy)
    known_at, when = maturing(history, delay), history.batch.occurred_at
    days = range(int(when[0]) // DAY * DAY, int(when[-1]) + 1, DAY)
    for warm in (True, False):
        line = Timeline(policy=read, history=history, measure=observe, known_at=known_at)
        wall, processor = perf_counter(), process_time()
        for day in days[:2] if warm else days:
            line.live(span(history, day, day + DAY), day + DAY)
    seconds = process_time() - processor
    return {
        "seconds": round(perf_counter() - wall, 1),
        "cpu_seconds": round(seconds, 1),
        "columns": len(read.feature_names),
        "us_a_row": round(seconds / len(history) * 1e6, 1),
    }


def theirs(history: History, delay: int, python: str) -> dict[str, Any]:
    """What the peer says, or why it says nothing."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "history.npz"
        batch = history.batch
        columns = (batch.keys([member]) for member in ("customer_id", "merchant"))
        people, shops = (np.unique(np.array(keys, str), return_inverse=True)[1] for keys in columns)
        np.savez(
            place, when=batch.occurred_at, customer=people, merchant=shops,
            amount=batch.amount_minor / 100, fraud=history.fraud,
        )  # fmt: skip
        command = [python, str(PEER), str(place), str(delay / DAY)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
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
    asked.add_argument("--pandas", default=sys.executable)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    policy = default_policy() if given.policy is None else given.policy.read_text("utf-8")
    with TemporaryDirectory() as folder:
        file, mapping = (given.file, given.map) if given.file else simulated(Path(folder))
        rows = open_rows(file, mapping_of(mapping))
        history = read_history(
            rows, currency=read_policy(policy).base_currency, until=NEVER, show=lambda *_: None
        )
    delay = given.delay_days * DAY
    told = {"shroff": ours(history, policy, delay), "pandas": theirs(history, delay, given.pandas)}
    if given.json:
        sys.stdout.write(json.dumps({"transactions": len(history), **told}) + "\n")
        return
    sys.stdout.write(f"{len(history):,} transactions\n")
    for name, figures in told.items():
        sys.stdout.write(f"{name}: {', '.join(f'{key} {value}' for key, value in figures.items())}\n")


if __name__ == "__main__":
    main()
