"""Simulated transactions as a file: what goes on the wire, and beside it the truth about it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from shroff.adapters.files.plain import fault, replaced
from shroff.codec import encode
from shroff.core.transaction import REQUIRED, TEXTS

if TYPE_CHECKING:
    import polars as pl

TRUTH = ("fraud", "typology")
COLUMNS = (*REQUIRED, "currency", *TEXTS, "latitude", "longitude", *TRUTH)
"""The columns of CSV and Parquet; NDJSON has the members that are there."""

_BATCH = 20_000
_ROW_GROUP = 100_000
_LEVEL = 3


class Labelled(Protocol):
    """A simulated transaction."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What a client would post."""

    @property
    def fraud(self) -> bool:
        """Whether it was planted."""

    @property
    def typology(self) -> str | None:
        """Which kind of fraud; None for an honest transaction."""


def write_simulated(path: Path, days: Iterable[Iterable[Labelled]], show: Callable[[int, int], None]) -> int:
    """Write NDJSON, CSV or Parquet by the suffix of `path`, whole or not at all; returns how many.

    The same transactions give the same bytes. `show` is told after each day how many days and transactions
    are done. Raises Rejected where the suffix is another, or the disk refuses.
    """
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise fault(path, f"the name must end in one of {', '.join(_FORMATS)}")
    counted = _Counted(days, show)
    with replaced(path) as draft:
        write(draft, counted)
    return counted.count


class _Counted:
    """Transactions as flat rows, counted as they pass."""

    def __init__(self, days: Iterable[Iterable[Labelled]], show: Callable[[int, int], None]) -> None:
        self._days, self._show = days, show
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for done, day in enumerate(self._days, 1):
            for item in day:
                self.count += 1
                yield {**item.body, "fraud": item.fraud, "typology": item.typology}
            self._show(done, self.count)


def _ndjson(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("wb") as file:
        file.writelines(encode(row) + b"\n" for row in rows)


def _csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "fraud": "true" if row["fraud"] else "false"} for row in rows)


def _parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    import polars as pl  # noqa: PLC0415 (a tenth of a second that other formats need not wait)
    from polars.io.plugins import register_io_source  # noqa: PLC0415

    schema = _schema(pl)

    def frames(columns: list[str] | None, *_: Any) -> Iterator[pl.DataFrame]:
        remaining = iter(rows)
        while batch := [_typed(row) for row in islice(remaining, _BATCH)]:
            frame = pl.DataFrame(batch, schema=schema, strict=True)
            yield frame.select(columns) if columns else frame

    lazy = register_io_source(frames, schema=schema)
    lazy.sink_parquet(path, compression="zstd", compression_level=_LEVEL, row_group_size=_ROW_GROUP)


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    unknown = row.keys() - set(COLUMNS)
    if unknown:
        raise ValueError(f"no column for {', '.join(sorted(unknown))}")
    return {**row, "amount": Decimal(row["amount"]), "timestamp": round(row["timestamp"] * 1000)}


def _schema(pl: Any) -> dict[str, pl.DataType]:
    """Times as instants and amounts as exact decimals, for who reads the file with other tools."""
    kinds = dict.fromkeys(COLUMNS, pl.String())
    return kinds | {
        "amount": pl.Decimal(18, 3),
        "timestamp": pl.Datetime("ms", "UTC"),
        "latitude": pl.Float64(),
        "longitude": pl.Float64(),
        "fraud": pl.Boolean(),
    }


_FORMATS: dict[str, Callable[[Path, Iterable[Mapping[str, Any]]], None]] = {
    ".ndjson": _ndjson,
    ".jsonl": _ndjson,
    ".csv": _csv,
    ".parquet": _parquet,
}
