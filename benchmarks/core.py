"""What observing and deciding cost, by size of batch, compiled and interpreted, with the default policy.

Whole stream each time, on simulated transactions: microseconds per transaction, median of the runs. Then
with the default policy's rules and drawn ones, 50 to 1,000 in all, and a model of 300 trees of 31 leaves.

    python -m benchmarks.core [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from time import perf_counter

import numpy as np

from benchmarks.backtest import policy as policy_of
from shroff.adapters.lightgbm.train import Parameters, train
from shroff.core import chains, distincts
from shroff.core.columns import Batch
from shroff.core.decision import decide, snapshot
from shroff.core.observe import observe
from shroff.core.policy import ModelPlan, Policy
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction, parse
from shroff.runtimes.wiring import default_policy
from shroff.simulator import simulate

STREAM, RUNS = 20_000, 3
RULES, MODEL = (50, 250, 1_000), "0123456789abcdef"
SIZES = (1, 10, 100, 1_000, 10_000)


def stream() -> list[Transaction]:
    """The same transactions each time."""
    return [parse(each.body) for each in islice(simulate(days=30, customers=2_000, seed=7), STREAM)]


def once(policy: Policy, transactions: list[Transaction], size: int) -> tuple[float, float, float]:
    """Seconds for columns, for observing and for deciding all of them in batches of a size."""
    state, taken = policy.empty_state(), [0.0, 0.0, 0.0]
    for first in range(0, len(transactions), size):
        begun = perf_counter()
        batch = Batch.of(transactions[first : first + size])
        built = perf_counter()
        features = observe(state, batch)
        observed = perf_counter()
        decide(
            policy, batch, snapshot(features, {name: np.zeros(len(batch), bool) for name in policy.lists}), 0
        )
        for part, seconds in enumerate((built - begun, observed - built, perf_counter() - observed)):
            taken[part] += seconds
    return taken[0], taken[1], taken[2]


def figures(policy: Policy, transactions: list[Transaction], size: int, runs: int = RUNS) -> dict[str, float]:
    """Medians over the runs, in microseconds per transaction."""
    parts = zip(*(once(policy, transactions, size) for _ in range(runs)), strict=True)
    medians = [statistics.median(part) / len(transactions) * 1e6 for part in parts]
    named = dict(zip(("columns", "observe", "decide"), medians, strict=True))
    return {name: round(figure, 2) for name, figure in {**named, "all": sum(medians)}.items()}


@contextmanager
def interpreted() -> Iterator[None]:
    """The kernels' plain Python forms in place of their compiled ones."""
    kernels = [
        (module, name, kernel)
        for module in (chains, distincts)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "py_func")
    ]
    for module, name, kernel in kernels:
        setattr(module, name, kernel.py_func)
    try:
        yield
    finally:
        for module, name, kernel in kernels:
            setattr(module, name, kernel)


def scored(policy: Policy, transactions: list[Transaction]) -> Policy:
    """The policy with a model of 300 trees, trained on the stream's own features; it stops nobody."""
    batch = Batch.of(transactions)
    x = observe(policy.empty_state(), batch)
    fraud = np.random.default_rng(7).random(len(batch)) < 0.02 + 0.2 * (batch.amount_minor > 20_000)
    model = train(x, fraud, tuple(policy.feature_names), parameters=Parameters(trees=300, num_leaves=31))
    plan = ModelPlan(version=MODEL, shadow=(), thresholds={}, reasons_from=2.0, reasons=3)
    return replace(policy, model=plan, models={MODEL: model})


def with_rules(transactions: list[Transaction]) -> dict[str, dict[str, float]]:
    """In batches of 1,000: so many rules, and 50 of them beside the trees."""
    found = {}
    for rules in RULES:
        policy = read_policy(policy_of(rules))
        found[f"{rules} rules, of 1000"] = figures(policy, transactions, 1_000)
        if rules == RULES[0]:
            name = f"{rules} rules, 300 trees"
            found[f"{name}, of 1000"] = figures(scored(policy, transactions), transactions, 1_000)
    return found


def measure() -> dict[str, dict[str, float]]:
    """Every size compiled, and one interpreted."""
    policy, transactions = read_policy(default_policy()), stream()
    once(policy, transactions[:1_000], 1_000)
    found = {
        f"batches of {size}": figures(policy, transactions[: 2_000 if size == 1 else STREAM], size)
        for size in SIZES
    }
    with interpreted():
        found["interpreted, of 10"] = figures(policy, transactions[:1_000], 10, runs=1)
    return found | with_rules(transactions)


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
    sys.stdout.write(
        f"{'µs per transaction':<28}" + "".join(f"{name:>10}" for name in next(iter(found.values()))) + "\n"
    )
    for name, row in found.items():
        sys.stdout.write(f"{name:<28}" + "".join(f"{figure:>10,.2f}" for figure in row.values()) + "\n")


if __name__ == "__main__":
    main()
