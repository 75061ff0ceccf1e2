"""The same features as `pandas_features` over a history, by Polars' rolling joins on time.

python benchmarks/peers/polars_features.py FILE.npz DELAY_DAYS

Left out is what Polars has no rolling function for: the rank of an amount, distinct counts, runs of frauds.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter, process_time

import numpy as np
import polars as pl

SPANS = {"customer": ("5m", "1h", "1d", "7d", "30d"), "merchant": ("1h", "1d", "7d", "30d")}


def of_transactions(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Counts, sums, means, deviations and maxima of what came before; the customer's median."""
    found = []
    for entity, spans in SPANS.items():
        ordered = frame.sort(entity, "when")
        for span in spans:
            amount, label = pl.col("amount"), f"{entity}_{span}"
            asked = [amount.count().alias(f"count_{label}"), amount.sum().alias(f"sum_{label}")]
            if span == "30d":
                asked += [
                    amount.mean().alias(f"mean_{label}"),
                    amount.std().alias(f"std_{label}"),
                    amount.max().alias(f"max_{label}"),
                ]
                asked += [amount.median().alias(f"median_{label}")] if entity == "customer" else []
            rolled = ordered.rolling("when", period=span, closed="left", group_by=entity)
            found.append(rolled.agg(asked))
    return found


def of_labels(frame: pl.DataFrame, delay: float) -> list[pl.DataFrame]:
    """Counts of labels and frauds by when they became known: labels and transactions in one order of time."""
    fraud = pl.col("fraud").cast(pl.Float64)
    known = pl.col("when") + pl.duration(milliseconds=int(delay * 86_400_000))
    keys = ["customer", "merchant"]
    labels = frame.select(known.alias("when"), *keys, pl.lit(1.0).alias("labelled"), fraud.alias("frauds"))
    asked = frame.select("when", *keys, pl.lit(0.0).alias("labelled"), pl.lit(0.0).alias("frauds"))
    both, found = pl.concat([labels, asked]), []
    for entity, spans in (("customer", ("30d",)), ("merchant", ("7d", "30d"))):
        ordered = both.sort(entity, "when")
        for span in spans:
            rolled = ordered.rolling("when", period=span, group_by=entity)
            found.append(rolled.agg(pl.col("labelled").sum(), pl.col("frauds").sum()))
    return found


def main() -> None:
    """Print the seconds and how many columns there were."""
    data, delay = np.load(sys.argv[1]), float(sys.argv[2])
    frame = pl.DataFrame({name: data[name] for name in ("when", "customer", "merchant", "amount", "fraud")})
    frame = frame.with_columns(pl.col("when").cast(pl.Datetime("ms")))
    wall, processor = perf_counter(), process_time()
    found = [*of_transactions(frame), *of_labels(frame, delay)]
    told = {
        "seconds": round(perf_counter() - wall, 1),
        "cpu_seconds": round(process_time() - processor, 1),
        "columns": sum(each.width - 2 for each in found),
        "polars": pl.__version__,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
