"""How long it takes to ask 100 rules what they would have done: a backtest over all of a stored file.

python -m benchmarks.backtest FILE --map member=COLUMN ... [--data FOLDER] [--json]

The file is imported first, into FOLDER where it is not there already. Then the default policy with rules of
its own making, 100 in all, is set beside the default policy: `shroff backtest`, as a process. Without a file
simulated customers are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.history import simulated
from shroff.runtimes.wiring import default_policy

RULES = 100
MEASURES = (
    "customer.count_1h", "customer.count_1d", "customer.count_7d", "customer.amount_sum_1d",
    "customer.amount_mean_30d", "merchant.count_1d", "merchant.count_30d", "customer.amount_rank_30d",
    "merchant.customer_distinct_1d", "customer_merchant.count_90d", "customer.since_last_30d",
)  # fmt: skip


def policy(rules: int = RULES) -> str:
    """The default policy with so many rules, those that are new drawn and seldom true."""
    document, dice = default_policy(), random.Random(7)
    thresholds = document.index("# A score that is high without")
    made = "".join(_rule(at, dice) for at in range(rules - document.count("[[rules]]")))
    return document[:thresholds] + made + document[thresholds:]


def _rule(at: int, dice: random.Random) -> str:
    tests = " and ".join(f"{dice.choice(MEASURES)} >= {dice.randint(2, 40)}" for _ in range(2))
    when = f"amount > {dice.randint(200, 2000)} and {tests}"
    return (
        f'[[rules]]\nname = "drawn_{at}"\nwhen = "{when}"\noutcome = "challenge"\nscore = 0.1\n'
        f'reason = "{{amount}} is much"\nentity = "customer"\n\n'
    )


def shroff(*arguments: str) -> tuple[float, float, str]:
    """Seconds of wall time and of processor, and what a command says."""
    wall, before = perf_counter(), os.times()
    run = subprocess.run(
        [sys.executable, "-m", "shroff", *arguments], check=True, capture_output=True, text=True
    )
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return round(perf_counter() - wall, 1), round(processor, 1), run.stdout


def main() -> None:
    """Print the figures, as a line or as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", nargs="?", type=Path)
    asked.add_argument("--map", action="append", default=[])
    asked.add_argument("--data", type=Path)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    with TemporaryDirectory() as place:
        data = given.data or Path(place) / "data"
        if not (data / "store.db").exists():
            file, mapping = (given.file, given.map) if given.file else simulated(Path(place))
            # What is mapped to a label is not stored: labels are imported on their own.
            named = [f"--map={each}" for each in mapping if not each.startswith("label=")]
            shroff("import", str(file), *named, "--data", str(data))
        candidate = Path(place) / "policy.toml"
        candidate.write_text(policy(), "utf-8")
        seconds, processor, said = shroff(
            "backtest", "--policy", str(candidate), "--data", str(data), "--json"
        )
    told = json.loads(said)
    found = {
        "transactions": told["transactions"],
        "rules": RULES,
        "seconds": seconds,
        "cpu_seconds": processor,
        "us_a_row": round(processor / told["transactions"] * 1e6, 1),
        "differences": told["differences"]["transactions"],
    }
    if given.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        sys.stdout.write(json.dumps(machine | found) + "\n")
    else:
        sys.stdout.write(", ".join(f"{name} {figure}" for name, figure in found.items()) + "\n")


if __name__ == "__main__":
    main()
