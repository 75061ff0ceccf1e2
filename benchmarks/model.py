"""How fast 300 trees score: batches of 1,000 and one alone, compiled and interpreted; and explain one.

python benchmarks/model.py [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from shroff.adapters.lightgbm.train import Parameters, train
from shroff.core import trees
from shroff.core.compiled import Array, runs_compiled
from shroff.core.model import Model

FEATURES = 40
TREES = 300


def rows(seed: int, many: int) -> tuple[Array, Array]:
    """Rows of 40 features, one value in ten missing, and which are fraud."""
    dice = np.random.default_rng(seed)
    x = dice.gamma(2, 1, (many, FEATURES))
    x[dice.random(x.shape) < 0.1] = np.nan
    odds = np.nansum(x[:, :8] * np.linspace(-0.6, 0.8, 8), axis=1) - 3
    return x, dice.random(many) < 1 / (1 + np.exp(-odds))


def model(leaves: int) -> Model:
    """Three hundred trained trees of so many leaves."""
    x, y = rows(1, 20_000)
    names = tuple(f"feature {place}" for place in range(FEATURES))
    return train(x, y, names, parameters=Parameters(trees=TREES, num_leaves=leaves))


def microseconds(function: Callable[[Array], Array], asked: Array, times: int) -> float:
    """The median of some runs, after one that does not count, by row."""
    function(asked)
    taken = []
    for _ in range(times):
        start = perf_counter_ns()
        function(asked)
        taken.append(perf_counter_ns() - start)
    return round(float(np.median(taken)) / 1e3 / len(asked), 2)


def measure() -> dict[str, float]:
    """The figures: microseconds a row."""
    many, _ = rows(2, 1_000)
    figures: dict[str, float] = {}
    for leaves in (8, 31):
        made = model(leaves)
        figures[f"{leaves}_leaves_batch_us"] = microseconds(made.score, many, 30)
        figures[f"{leaves}_leaves_one_us"] = microseconds(made.score, many[:1], 300)
        figures[f"{leaves}_leaves_explained_us"] = microseconds(made.contributions, many[:1], 50)
        if runs_compiled(trees._walk):
            compiled, trees._walk = trees._walk, trees._walk.py_func  # type: ignore[attr-defined]
            figures[f"{leaves}_leaves_batch_interpreted_us"] = microseconds(made.score, many, 5)
            figures[f"{leaves}_leaves_one_interpreted_us"] = microseconds(made.score, many[:1], 100)
            trees._walk = compiled
    return figures


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    figures = measure()
    if asked.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<36}{figure:>14,}\n")


if __name__ == "__main__":
    main()
