"""Rows of Parquet: instants in seconds, narrow floats with the decimals that they were written with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shroff.adapters.files.chunks import Cut
from shroff.adapters.files.layout import TRANSACTION, Contract, Layout, lay_out
from shroff.adapters.files.plain import fault, told
from shroff.adapters.files.stream import size_of
from shroff.core.errors import Fault, Rejected

if TYPE_CHECKING:
    import polars as pl

_BATCH = 50_000


class Parquet:
    """A Parquet file; a time without a zone is UTC, and NaN counts as missing."""

    unit: Literal["rows", "bytes"] = "rows"

    def __init__(self, path: Path, mapping: Mapping[str, str], contract: Contract = TRANSACTION) -> None:
        import polars as pl  # noqa: PLC0415 (a tenth of a second that other commands need not wait)

        self._path = path
        size_of(path)
        with _damage_told(path):
            self._frame = pl.scan_parquet(path, glob=False)
            schema = self._frame.collect_schema()
            self.total = int(self._frame.select(pl.len()).collect().item())
        self.layout: Layout = lay_out(path, mapping, schema.names(), contract=contract)
        nested = [(member, column) for member, column in self.layout if not _is_scalar(schema[column])]
        if nested:
            raise Rejected(
                [
                    Fault(m, f"{path}: column {c} is a {schema[c]}, not a scalar: it cannot be {m}")
                    for m, c in nested
                ]
            )

    def cuts(self, place: int, size: int) -> Iterator[Cut]:
        """Yield cuts of at most so many rows after a place, which counts rows."""
        with _damage_told(self._path):
            batches = self._frame.slice(place).collect_batches(
                chunk_size=max(size, _BATCH), maintain_order=True
            )
            for batch in batches:
                for frame in batch.iter_slices(size):
                    lines = range(place + 1, place + len(frame) + 1)
                    place += len(frame)
                    yield Cut(
                        lines=lines,
                        values=partial(_values, frame),
                        raw=partial(frame.row, named=True),
                        broken={},
                        place=place,
                        consumed=place,
                    )


def _values(frame: pl.DataFrame, column: str, member: str) -> Sequence[Any]:
    if member in {"timestamp", "known_at"}:
        return _seconds(frame[column]).to_list()
    return _scalars(frame[column]).to_list()


def _is_scalar(kind: pl.DataType) -> bool:
    import polars as pl  # noqa: PLC0415

    return not kind.is_nested() and kind not in {pl.Binary, pl.Object}


def _seconds(column: pl.Series) -> pl.Series:
    import polars as pl  # noqa: PLC0415

    if column.dtype not in {pl.Datetime, pl.Date}:
        return _scalars(column)
    milliseconds = column.cast(pl.Datetime("ms")).to_physical()
    # Whole seconds as integers: they are parsed faster, and mean the same.
    return milliseconds / 1000 if (milliseconds % 1000 != 0).any() else milliseconds // 1000


def _scalars(column: pl.Series) -> pl.Series:
    import polars as pl  # noqa: PLC0415

    kind = column.dtype
    if kind.is_temporal():
        return column.dt.to_string("iso")
    if kind in {pl.Categorical, pl.Enum}:
        return column.cast(pl.String)
    if kind.is_float():
        # A narrow float widened as it is would grow digits that nobody wrote: 57.16 is not 57.15999984741211.
        exact = column if kind == pl.Float64 else column.cast(pl.String).cast(pl.Float64)
        return exact.fill_nan(None)
    return column


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    import polars as pl  # noqa: PLC0415

    try:
        with told(path):
            yield
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise fault(path, f"is not a Parquet file, or damaged: {reason}") from None
