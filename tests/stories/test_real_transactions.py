"""One and a half million card transactions through the whole pipeline, against an independent query."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import DATA
from tests.stories.serving import answer, shroff

FDH = DATA / "fdh_to_2018-09-04.parquet"
MAPPING = {
    "transaction_id": "TRANSACTION_ID",
    "timestamp": "TX_DATETIME",
    "customer_id": "CUSTOMER_ID",
    "merchant": "TERMINAL_ID",
    "amount": "TX_AMOUNT",
}


@pytest.mark.skipif(not FDH.exists(), reason="the evaluation data is not beside this checkout")
@pytest.mark.timeout(600)
def test_the_whole_file_imports_its_audit_is_clean_and_a_day_reports_what_an_independent_query_says(
    tmp_path: Path,
) -> None:
    maps = [word for member, column in MAPPING.items() for word in ("--map", f"{member}={column}")]
    loaded = json.loads(shroff("import", FDH, "--data", tmp_path, *maps, "--json", seconds=580).stdout)
    amounts = pl.scan_parquet(FDH).select(pl.col("TX_AMOUNT").round(2))
    nothing_paid = amounts.filter(pl.col("TX_AMOUNT") <= 0).collect().height
    rows = amounts.collect().height
    assert loaded["accepted"] == rows - nothing_paid
    assert loaded["rejected"] == nothing_paid, "a transaction of nothing is no transaction"
    assert len(Path(loaded["rejects"]).read_text().splitlines()) == nothing_paid

    audit = answer("audit", "--data", tmp_path)
    paid = rows - nothing_paid
    assert audit == {"accepted": paid, "decided": paid, "dead_lettered": 0, "in_flight": 0, "missing": []}

    the_report_of_a_day_equals_an_independent_query(tmp_path)


def the_report_of_a_day_equals_an_independent_query(data: Path) -> None:
    shroff("report", "--date", "2018-08-15", "--data", data)
    folder = data / "reports" / "2018-08-15"
    expected = (
        pl.scan_parquet(FDH)
        .filter(pl.col("TX_DATETIME").dt.date() == pl.date(2018, 8, 15), pl.col("TX_AMOUNT") > 0)
        .select(
            pl.col("TRANSACTION_ID").cast(pl.String),
            pl.col("TX_DATETIME").dt.epoch("s"),
            (pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64).alias("minor"),
            pl.col("CUSTOMER_ID").cast(pl.String),
            pl.col("TERMINAL_ID").cast(pl.String),
        )
        .sort("TX_DATETIME", "TRANSACTION_ID")
        .collect()
    )
    with (folder / "fraud-detection-report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    got = [
        (
            r["transaction_id"],
            int(r["timestamp"]),
            round(float(r["amount"]) * 100),
            r["customer_id"],
            r["merchant"],
        )
        for r in rows
    ]
    assert got == expected.rows()

    document = json.loads((folder / "fraud-detection-report.json").read_text())
    totals = document["totals"]
    assert totals["count"] == expected.height
    assert round(totals["sum"] * 100) == expected["minor"].sum()
    assert totals["mean"] == pytest.approx(expected["minor"].sum() / expected.height / 100, abs=0.005)
    assert document["audit"]["accepted"] == document["audit"]["decided"] == expected.height
    before = (folder / "fraud-detection-report.html").read_bytes()
    shroff("report", "--date", "2018-08-15", "--data", data)
    assert (folder / "fraud-detection-report.html").read_bytes() == before
