"""What the first day is worth: rules alone, and joined with a score that never saw a label.

The score is trained on the first four weeks and measured on those after, on simulated customers or on a file:

python benchmarks/unsupervised.py [--json] [--file FILE --map member=COLUMN … --policy POLICY]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from shroff.cli.progress import tracked
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import read_history
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import NEVER
from shroff.flows.load import mapping_of
from shroff.flows.unsupervised import Measured, measure, train_unsupervised, worth
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.embedded import open_rows

SEEDS = (4, 5, 6)
"""Nothing was chosen by these; the growth of the trees was by others."""
LEARN_DAYS = 28
DAYS = 42
Worth = dict[str, dict[str, float]]


def later(file: Path, mapping: list[str], policy: str) -> Worth:
    """The measures of the days after the first four weeks, of which the score is trained."""
    read = read_policy(policy)
    rows = open_rows(file, mapping_of(mapping))
    history = read_history(rows, currency=read.base_currency, until=NEVER, show=untold)
    measured = measure(history, read, track=tracked)
    when = history.batch.occurred_at
    cut = int(np.searchsorted(when, when[0] // DAY * DAY + LEARN_DAYS * DAY))
    model = train_unsupervised(part(measured, measured.rows.start, cut), name="usual", seed=7)
    return worth(part(measured, cut, len(history)), model)


def untold(_done: int, _rows: int) -> None:
    """Say nothing."""


def part(measured: Measured, first: int, last: int) -> Measured:
    """Some of the measured rows."""
    here = slice(first - measured.rows.start, last - measured.rows.start)
    return replace(
        measured, rows=slice(first, last), columns=measured.columns[here], rules=measured.rules[here]
    )


def simulated(seed: int) -> Worth:
    """The same of 500 simulated customers, by the policy that Shroff starts with."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "history.ndjson"
        asked = ["--days", str(DAYS), "--customers", "500", "--seed", str(seed), "--out", str(file)]
        subprocess.run([sys.executable, "-m", "shroff", "simulate", *asked], check=True, capture_output=True)
        return later(file, ["label=fraud"], default_policy())


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--map", action="append", default=[])
    parser.add_argument("--policy", type=Path)
    asked = parser.parse_args()
    policy = default_policy() if asked.policy is None else asked.policy.read_text(encoding="utf-8")
    figures = (
        {f"simulated, seed {seed}": simulated(seed) for seed in SEEDS}
        if asked.file is None
        else {asked.file.name: later(asked.file, asked.map, policy)}
    )
    if asked.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, found in figures.items():
        for side, measures in found.items():
            shown = "  ".join(
                f"{measure.replace('_', ' ')} {value:.3f}" for measure, value in measures.items()
            )
            sys.stdout.write(f"{name:<24}{side:<18}{shown}\n")


if __name__ == "__main__":
    main()
