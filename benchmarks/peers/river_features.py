"""A part of the same features over a history, transaction after transaction, by River's rolling statistics.

python benchmarks/peers/river_features.py FILE.npz DELAY_DAYS

Sums, means and variances over the windows of customers and merchants, each asked before it is updated;
labels, distinct counts and what is usual are left out. River keeps every value of a window and goes over
50,000 transactions from the beginning of the file only: its time is told for as many.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter, process_time
from typing import Any

import numpy as np
import river
from river import stats, utils

ROWS = 50_000
Windows = list[Any]
DAYS = {"customer": (1 / 288, 1 / 24, 1, 7, 30), "merchant": (1 / 24, 1, 7, 30)}


def windows(entity: str) -> Windows:
    """Of one entity: a sum of each window, mean and variance of the longest."""
    found = []
    for days in DAYS[entity]:
        kinds = [stats.Sum, *([stats.Mean, stats.Var] if days == 30 else [])]
        found += [utils.TimeRolling(kind(), timedelta(days=days)) for kind in kinds]
    return found


def main() -> None:
    """Print the seconds and how many columns there were."""
    data = np.load(sys.argv[1])
    columns = (data[name][:ROWS].tolist() for name in ("when", "customer", "merchant", "amount"))
    rows = [(datetime.fromtimestamp(at / 1000, UTC), *others) for at, *others in zip(*columns, strict=True)]
    customers: dict[int, Windows] = defaultdict(partial(windows, "customer"))
    merchants: dict[int, Windows] = defaultdict(partial(windows, "merchant"))
    wall, processor, found = perf_counter(), process_time(), 0
    for when, customer, merchant, amount in rows:
        row = []
        for rolling in (customers[customer], merchants[merchant]):
            row += [each.get() for each in rolling]
            for each in rolling:
                each.update(amount, t=when)
        found = len(row)
    seconds = process_time() - processor
    told = {
        "seconds": round(perf_counter() - wall, 1),
        "cpu_seconds": round(seconds, 1),
        "columns": found,
        "rows": len(rows),
        "us_a_row": round(seconds / len(rows) * 1e6, 1),
        "river": river.__version__,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
