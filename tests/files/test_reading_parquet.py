from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shroff.core.errors import Rejected
from shroff.core.transaction import parse
from tests.conftest import DATA
from tests.files.conftest import chunks, ids_of, problem

FDH = DATA / "fdh_to_2018-09-04.parquet"
FDH_MAPPING = {
    "transaction_id": "TRANSACTION_ID", "timestamp": "TX_DATETIME", "customer_id": "CUSTOMER_ID",
    "merchant": "TERMINAL_ID", "amount": "TX_AMOUNT",
}  # fmt: skip
BASE = {"transaction_id": ["a"], "amount": [1], "timestamp": [1]}


def stored(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pl.DataFrame(columns, strict=False).write_parquet(path, **options)
    return path


def naive(moment: datetime) -> pl.Series:
    return pl.Series([moment]).dt.replace_time_zone(None)


def only(rows_of: Any, tmp_path: Path, mapping: Any = None, **columns: Any) -> Any:
    (row,) = rows_of(stored(tmp_path / "a.parquet", BASE | columns), mapping)
    return row


def test_numbers_as_ids_are_text(rows_of, tmp_path):
    floats = pl.Series([3156.0], dtype=pl.Float64)
    row = only(rows_of, tmp_path, transaction_id=[12], customer_id=[596], merchant=floats)
    assert (row["transaction_id"], row["customer_id"], row["merchant"]) == ("12", "596", "3156")


@pytest.mark.parametrize(
    "amount",
    [
        pl.Series([57.16], dtype=pl.Float64),
        pl.Series([57.16], dtype=pl.Float32),
        pl.Series([Decimal("57.160")], dtype=pl.Decimal(10, 3)),
        pl.Series(["57.16"]),
    ],
    ids=lambda series: str(series.dtype),
)
def test_amounts_are_exact_in_every_type(rows_of, tmp_path, amount):
    assert parse(only(rows_of, tmp_path, amount=amount)).amount_minor == 5716


@pytest.mark.parametrize(
    ("timestamp", "occurred_at"),
    [
        (naive(datetime(2023, 11, 14, 22, 13, 20, 123_999, tzinfo=UTC)), 1_700_000_000_123),
        (pl.Series([datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)]), 1_700_000_000_000),
        (
            naive(datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC)).dt.replace_time_zone("Europe/Berlin"),
            1_700_000_000_000,
        ),
        (pl.Series([date(2023, 11, 14)]), 1_699_920_000_000),
        (pl.Series([1_700_000_000]), 1_700_000_000_000),
        (pl.Series(["2023-11-14T22:13:20Z"]), 1_700_000_000_000),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_times_are_instants_in_every_type(rows_of, tmp_path, timestamp, occurred_at):
    assert parse(only(rows_of, tmp_path, timestamp=timestamp)).occurred_at == occurred_at


@pytest.mark.parametrize("amount", [1.005, 0.0, -1.0, float("inf")])
def test_an_amount_that_is_none_is_not_rounded_into_one(rows_of, tmp_path, amount):
    with pytest.raises(Rejected):
        parse(only(rows_of, tmp_path, amount=pl.Series([amount])))


def test_nothing_and_not_a_number_are_missing(rows_of, tmp_path):
    nan = pl.Series([float("nan")])
    transaction = parse(only(rows_of, tmp_path, latitude=nan, merchant=pl.Series([None], dtype=pl.String)))
    assert (transaction.latitude, transaction.merchant) == (None, None)


def test_attributes_keep_their_kind(rows_of, tmp_path):
    columns = {
        "member": [True], "age": [41], "born": [date(1980, 2, 3)],
        "weight": pl.Series([0.1], dtype=pl.Float32), "tier": pl.Series(["gold"], dtype=pl.Categorical),
    }  # fmt: skip
    row = only(rows_of, tmp_path, {name: name for name in columns}, **columns)
    assert parse(row).attributes == {
        "member": True, "age": 41, "weight": 0.1, "born": "1980-02-03", "tier": "gold",
    }  # fmt: skip


def test_a_column_that_is_no_scalar_is_told(tmp_path):
    path = stored(tmp_path / "a.parquet", BASE | {"tags": [["x", "y"]]})
    assert len(chunks(path)) == 1
    assert "column tags is a List(String), not a scalar: it cannot be tags" in problem(path, {"tags": "tags"})


def test_a_row_for_the_rejects_is_as_the_file_has_it(tmp_path):
    path = stored(
        tmp_path / "a.parquet", BASE | {"timestamp": [datetime(2023, 1, 2, tzinfo=UTC)], "fraud": [1]}
    )
    (chunk,) = chunks(path)
    assert chunk.raw(0) == {
        "transaction_id": "a",
        "amount": 1,
        "timestamp": datetime(2023, 1, 2, tzinfo=UTC),
        "fraud": 1,
    }


def test_reading_goes_on_at_any_place_of_an_earlier_chunk(tmp_path):
    ids = [f"t{n}" for n in range(1_000)]
    path = stored(
        tmp_path / "a.parquet",
        {"transaction_id": ids, "amount": [1] * 1_000, "timestamp": [1] * 1_000},
        row_group_size=130,
    )
    whole = chunks(path, size=90)
    assert ids_of(whole) == ids
    for chunk in whole:
        rest = chunks(path, size=90, place=chunk.place)
        assert ids_of(rest) == ids[chunk.place :]
        assert [line for each in rest for line in each.lines] == list(range(chunk.place + 1, 1_001))


@pytest.mark.parametrize("damage", ["text", "cut", "hole"])
def test_a_damaged_file_is_told_in_one_sentence(write, tmp_path, damage):
    path = stored(tmp_path / "a.parquet", {name: list(range(5_000)) for name in BASE}, compression="zstd")
    whole = path.read_bytes()
    damaged = {
        "text": b"hello",
        "cut": whole[: len(whole) // 2],
        "hole": whole[:4] + bytes(2_000) + whole[2_004:],
    }
    told = problem(write("b.parquet", damaged[damage]))
    assert "b.parquet: is not a Parquet file, or damaged" in told
    assert "\n" not in told


@pytest.mark.skipif(not FDH.exists(), reason="the evaluation data is not here")
def test_the_handbooks_transactions_are_read_whole_and_exact(rows_of):
    rows = [row for row in rows_of(FDH, FDH_MAPPING, place=1_500_000) if row["amount"] != "0"]
    transactions = [parse(row) for row in rows]
    expected = pl.scan_parquet(FDH).slice(1_500_000).filter(pl.col("TX_AMOUNT") > 0).collect()
    assert len(rows) == expected.height > 4_600
    assert [each.amount_minor for each in transactions] == [
        round(v * 100) for v in expected["TX_AMOUNT"].to_list()
    ]
    assert [each.occurred_at for each in transactions] == expected["TX_DATETIME"].dt.epoch("ms").to_list()
    assert [int(each.customer_id or "") for each in transactions] == expected["CUSTOMER_ID"].to_list()


@pytest.mark.parametrize(("stands", "means"), [(17.13 * 5, "85.65"), (85.655, "85.655"), (57.16, "57.16")])
def test_a_float_amount_means_the_fifteen_digits_that_a_float_can_hold(rows_of, tmp_path, stands, means):
    # Noise of arithmetic goes; a third decimal stays a fault.
    assert only(rows_of, tmp_path, amount=[stands])["amount"] == means
