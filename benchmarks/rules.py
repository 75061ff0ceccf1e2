"""How fast 250 rules are evaluated: on one transaction, on batches of 1,000 and on 100,000.

python benchmarks/rules.py [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shroff.core.expression import Kind, Program, check

RULES = 250
_ENTITIES = ("customer", "card", "device", "ip", "merchant")
_MEASURES = ("count_5m", "count_1h", "count_24h", "amount_sum_24h", "amount_mean_30d", "amount_std_30d")
_NUMBERS = ["amount", "hour", *(f"{entity}.{measure}" for entity in _ENTITIES for measure in _MEASURES)]
_TEXTS = {
    "country": ("GB", "US", "DE", "FR", "BR", "NG"),
    "currency": ("EUR", "GBP", "USD"),
    "merchant_category": ("grocery", "electronics", "travel", "gambling", "giftcards"),
    "channel": ("web", "app", "pos"),
    "attributes.tier": ("basic", "plus"),
}
_BOOLS = ("list.blocked", "list.watched", "list.trusted")
NAMES = {
    **dict.fromkeys(_NUMBERS, Kind.NUMBER),
    **dict.fromkeys(_TEXTS, Kind.TEXT),
    **dict.fromkeys(_BOOLS, Kind.BOOL),
}


def a_rule(dice: random.Random) -> str:
    """A rule of two to four comparisons, as a policy would have it."""
    return f" {dice.choice(('and', 'and', 'or'))} ".join(_a_test(dice) for _ in range(dice.randint(2, 4)))


def _a_test(dice: random.Random) -> str:
    number, text = dice.choice(_NUMBERS), dice.choice(list(_TEXTS))
    shapes = (
        f"{number} > {dice.choice((1, 3, 5, 10, 20, 50, 100, 250, 500, 1000))}",
        f"{number} <= {dice.randint(1, 2000)}",
        f"amount > {dice.randint(2, 9)} * {number}",
        f"amount > customer.amount_mean_30d + {dice.randint(2, 6)} * customer.amount_std_30d",
        f"({number} > {dice.randint(1, 9)} or missing({number}))",
        f"{text} == {dice.choice(_TEXTS[text])!r}",
        f"{text} not in {dice.choice(_TEXTS[text]), dice.choice(_TEXTS[text])}",
        f"not {dice.choice(_BOOLS)}",
    )
    return dice.choices(shapes, weights=(6, 3, 2, 1, 1, 2, 1, 1))[0]


def columns(rows: int) -> dict[str, NDArray[Any]]:
    """Columns for all names, one value in ten missing."""
    dice = np.random.default_rng(7)
    made: dict[str, NDArray[Any]] = {}
    for name in _NUMBERS:
        made[name] = np.where(dice.random(rows) < 0.1, np.nan, dice.gamma(2, 100, rows))
    for name, texts in _TEXTS.items():
        made[name] = dice.choice(np.array([*texts, None], dtype=object), rows)
    for name in _BOOLS:
        made[name] = dice.random(rows) < 0.05
    return made


def program() -> Program:
    """The rules of the benchmark, always the same."""
    dice = random.Random(7)
    return Program([check(a_rule(dice), NAMES) for _ in range(RULES)])


def timed(rules: Program, batch: Mapping[str, NDArray[Any]], rows: int, times: int) -> NDArray[np.float64]:
    """Seconds of each run [times], after a tenth as many that do not count."""
    taken = []
    for _ in range(times // 10 + times):
        start = perf_counter_ns()
        rules.run(batch, rows)
        taken.append(perf_counter_ns() - start)
    return np.array(taken[times // 10 :]) / 1e9


def measure() -> dict[str, float]:
    """The figures: milliseconds for one transaction, rows a second for batches."""
    start = perf_counter_ns()
    rules = program()
    compiled = (perf_counter_ns() - start) / 1e6
    one = timed(rules, columns(1), 1, 20_000)
    thousand = timed(rules, columns(1_000), 1_000, 300)
    many = timed(rules, columns(100_000), 100_000, 5)
    return {
        "rules": RULES,
        "check_and_compile_ms": round(compiled, 1),
        "one_p50_ms": round(float(np.quantile(one, 0.5)) * 1e3, 3),
        "one_p99_ms": round(float(np.quantile(one, 0.99)) * 1e3, 3),
        "rows_per_s_at_1000": round(1_000 / float(np.median(thousand))),
        "rows_per_s_at_100000": round(100_000 / float(np.median(many))),
    }


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
        sys.stdout.write(f"{name:<24}{figure:>14,}\n")


if __name__ == "__main__":
    main()
