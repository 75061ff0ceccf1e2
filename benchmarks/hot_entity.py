"""What a busy entity costs: all traffic on one customer and one merchant, and entities with a long past.

python -m benchmarks.hot_entity [--json]

Columns, windows and default policy, in batches of 1,000; medians in µs of processor a transaction, the sides
in turn. Transactions are a tenth of a second apart, of amounts as they come. Velocity rules hit each of the
busy ones, and every hit is told in words: so the same policy is measured with its rules taken away too.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from time import process_time

import numpy as np

from shroff.core.columns import Batch
from shroff.core.decision import decide, snapshot
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.state import State
from shroff.core.transaction import Transaction
from shroff.runtimes.wiring import default_policy

BATCH, BATCHES, RUNS = 1_000, 10, 5
START, SPAN = 1_750_000_000_000, 30 * 86_400_000
PAST = (100, 10_000, 1_000_000)


def payments(first: int, many: int, step: float, customers: int, merchants: int) -> list[Transaction]:
    """So many payments a step of ms apart, in turn by customers and at merchants."""
    amounts = np.rint(np.random.default_rng(first).lognormal(8, 1, many)).astype(int) + 1
    return [
        Transaction(
            transaction_id=f"t{at}", occurred_at=int(START + at * step), amount_minor=int(amount),
            currency="USD", customer_id=f"customer {at * 7919 % customers}",
            merchant=f"merchant {at * 104729 % merchants}", country="DE",
        )
        for at, amount in enumerate(amounts.tolist(), first)
    ]  # fmt: skip


def microseconds(policy: Policy, state: State, stream: Sequence[Transaction]) -> float:
    """Of processor a transaction, for columns, windows and decisions in batches."""
    begun = process_time()
    for first in range(0, len(stream), BATCH):
        batch = Batch.of(stream[first : first + BATCH])
        features = observe(state, batch)
        listed = {name: np.zeros(len(batch), bool) for name in policy.lists}
        decide(policy, batch, snapshot(features, listed), 0)
    return (process_time() - begun) / len(stream) * 1e6


def traffic(policy: Policy) -> dict[str, float]:
    """Spread over 10,000 customers and 1,000 merchants, and all on one of each; in turn, median of runs."""
    sides = {"spread": (10_000, 1_000), "one customer and merchant": (1, 1)}
    found: dict[str, list[float]] = {name: [] for name in sides}
    states = {name: policy.empty_state() for name in sides}
    for run in range(RUNS + 1):
        for name, (customers, merchants) in sides.items():
            stream = payments(run * BATCHES * BATCH, BATCHES * BATCH, 100, customers, merchants)
            found[name].append(microseconds(policy, states[name], stream))
    return {name: round(statistics.median(each[1:]), 2) for name, each in found.items()}


def past(policy: Policy) -> dict[str, float]:
    """The next 100 transactions of one customer and one merchant with so many behind them, over 30 days.

    They are as far apart as those before were: what differs is the past. A hundred are asked in one batch.
    """
    found = {}
    for many in PAST:
        step, state = SPAN / many, policy.empty_state()
        for first in range(0, many, 100_000):
            batch = payments(first, min(100_000, many - first), step, 1, 1)
            observe(state, Batch.of(batch))
        kept = {name: array.copy() for name, array in state.arrays().items()}
        taken = []
        for _ in range(10 * RUNS):
            state.restore(kept)
            taken.append(microseconds(policy, state, payments(many, 100, step, 1, 1)))
        found[f"{many:,} past events"] = round(statistics.median(taken), 2)
    return found


def measure() -> dict[str, dict[str, float]]:
    """Both, with the default policy's rules; the traffic without them too."""
    policy = read_policy(default_policy())
    silent = replace(policy, rules=())
    microseconds(policy, policy.empty_state(), payments(0, BATCH, 100, 100, 100))
    found = {"traffic": traffic(policy), "traffic, no rules": traffic(silent), "past": past(silent)}
    for name in ("traffic", "traffic, no rules"):
        found[name]["speed, busy against spread"] = round(
            found[name]["spread"] / found[name]["one customer and merchant"], 2
        )
    least, most = (found["past"][f"{many:,} past events"] for many in (PAST[0], PAST[-1]))
    found["past"]["cost, most against least"] = round(most / least, 2)
    return found


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    found = measure()
    if asked.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        sys.stdout.write(json.dumps(machine | found) + "\n")
        return
    for title, row in found.items():
        sys.stdout.write(f"{title}\n")
        for name, figure in row.items():
            sys.stdout.write(f"  {name:<28}{figure:>10,.2f}\n")


if __name__ == "__main__":
    main()
