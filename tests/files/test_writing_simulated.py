from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl
import pytest

from shroff.adapters.files.writers import COLUMNS, write_simulated
from shroff.core.errors import Rejected
from shroff.flows.ingest import entry_of_members
from shroff.ports import Entry
from shroff.simulator import Day, Simulated, simulate_days

SUFFIXES = ("ndjson", "csv", "parquet")


def days() -> Iterator[Day]:
    return simulate_days(days=3, customers=60, seed=7, fraud_rate=0.1)


def transactions() -> list[Simulated]:
    return [item for day in days() for item in day]


def quiet(done: int, rows: int) -> None:
    """Shows nothing."""


def accepted(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [entry_of_members(row, currency="USD", received_at=0) for row in rows]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_written_is_imported_as_it_would_have_been_posted(tmp_path, rows_of, suffix):
    path = tmp_path / f"s.{suffix}"
    posted = [item.body for item in transactions()]
    assert write_simulated(path, days(), quiet) == len(posted) > 100
    assert accepted(rows_of(path)) == accepted(posted)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_truth_stands_beside_each_transaction(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    write_simulated(path, days(), quiet)
    readers: dict[str, Any] = {"ndjson": pl.read_ndjson, "csv": pl.read_csv, "parquet": pl.read_parquet}
    frame = readers[suffix](path).select("transaction_id", "fraud", "typology")
    expected = [(str(item.body["transaction_id"]), item.fraud, item.typology) for item in transactions()]
    assert frame.rows() == expected
    assert any(fraud for _, fraud, _ in expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_transactions_are_the_same_bytes(tmp_path, suffix):
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write_simulated(first, days(), quiet)
    write_simulated(second, days(), quiet)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    path.write_text("old")

    def breaking() -> Iterator[Day]:
        yield next(iter(days()))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_simulated(path, breaking(), quiet)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_progress_is_told_by_days_and_rows(tmp_path, suffix):
    told: list[tuple[int, int]] = []
    count = write_simulated(tmp_path / f"s.{suffix}", days(), lambda done, rows: told.append((done, rows)))
    assert [done for done, _ in told] == [1, 2, 3]
    assert told[-1][1] == count


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_member_without_a_column_is_not_dropped_in_silence(tmp_path, suffix):
    item = Simulated(
        occurred_at=0,
        body={"mood": "good", "amount": "1", "timestamp": 1.0},
        fraud=False,
        typology=None,
        episode=None,
    )
    with pytest.raises(ValueError, match="mood"):
        write_simulated(tmp_path / f"s.{suffix}", [[item]], quiet)


def test_no_transactions_are_a_file_without_rows(tmp_path, rows_of):
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"s.{suffix}"
        assert write_simulated(path, [], quiet) == 0
        assert rows_of(path) == []
    assert (tmp_path / "s.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_other_suffixes_and_places_that_cannot_be_written_are_told(tmp_path):
    with pytest.raises(Rejected, match="must end in one of"):
        write_simulated(tmp_path / "s.xls", days(), quiet)
    (tmp_path / "file").write_text("")
    for suffix in SUFFIXES:
        with pytest.raises(Rejected, match=f"s.{suffix}: "):
            write_simulated(tmp_path / "file" / f"s.{suffix}", days(), quiet)
