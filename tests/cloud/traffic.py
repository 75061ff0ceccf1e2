"""Transactions for the stories: real ones where the evaluation data is, else simulated."""

from __future__ import annotations

import time
from functools import cache
from itertools import islice
from typing import Any

import polars as pl

from shroff.simulator import simulate
from tests.conftest import DATA

FDH = DATA / "fdh_to_2018-09-04.parquet"

Body = dict[str, Any]


@cache
def _rows(count: int) -> tuple[Body, ...]:
    """Bodies in time order, `timestamp` in seconds; of the first customers, so that windows have something
    in them.
    """
    if not FDH.exists():
        made = simulate(days=3, customers=60, seed=7, fraud_rate=0.02)
        return tuple(dict(each.body) for each in islice(made, count))
    found = (
        pl.scan_parquet(FDH)
        .filter(pl.col("TX_AMOUNT") > 0, pl.col("CUSTOMER_ID").cast(pl.Int64) < 150)
        .sort("TX_DATETIME", "TRANSACTION_ID")
        .head(count)
        .select(
            pl.format("txn-{}", "TRANSACTION_ID").alias("transaction_id"),
            pl.col("TX_AMOUNT").round(2).alias("amount"),
            pl.col("TX_DATETIME").dt.epoch("s").alias("timestamp"),
            pl.format("cust-{}", "CUSTOMER_ID").alias("customer_id"),
            pl.format("shop-{}", pl.col("TERMINAL_ID").cast(pl.Int64) % 300).alias("merchant"),
        )
        .collect()
    )
    return tuple(found.to_dicts())


def transactions(count: int, start: float | None = None, end: float | None = None) -> list[Body]:
    """So many, their times drawn together into a span where one is given."""
    rows = [dict(each) for each in _rows(count)]
    if start is None or end is None:
        return rows
    first, last = rows[0]["timestamp"], rows[-1]["timestamp"]
    for each in rows:
        share = (each["timestamp"] - first) / (last - first)
        each["timestamp"] = round(start + share * (end - start), 3)
    return rows


def recently(seconds: float) -> tuple[float, float]:
    """A span that has just ended, within one day."""
    end = time.time() - 400
    midnight = end - end % 86_400
    if end - seconds < midnight:
        end = midnight - 1
    return end - seconds, end
