"""A file as chunks of rows: each row the members of one transaction, or why it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shroff.adapters.files.layout import Layout
from shroff.adapters.files.values import wire_values
from shroff.core.errors import Rejected

Row = Mapping[str, Any] | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a file, in its order."""

    lines: Sequence[int]
    """Where each row begins in the file, from 1; rows of Parquet are counted."""
    rows: Sequence[Row]
    raw: Callable[[int], Any]
    """A row by its index in this chunk, as the file has it: for the rejects file."""
    place: int
    """Give it to `Rows.chunks` to go on after this chunk."""
    consumed: int
    """How much of `Rows.total` has been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Some rows as one format has them, before they become members."""

    lines: Sequence[int]
    values: Callable[[str, str], Sequence[Any]]
    """The values of a column, as they suit a member; none at all where no row has it."""
    raw: Callable[[int], Any]
    broken: Mapping[int, Rejected]
    """Rows that cannot be read at all, by index."""
    place: int
    consumed: int


class Source(Protocol):
    """A file of one format."""

    layout: Layout
    total: int
    unit: Literal["rows", "bytes"]

    def cuts(self, place: int, size: int) -> Iterator[Cut]:
        """Yield rows after a place, about so many at a time."""


class Rows:
    """An open file of transactions, read in bounded memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.total = source.total
        """How much there is to read, in `unit`: for a progress bar."""
        self.unit = source.unit

    def chunks(self, place: int = 0, size: int = 5_000) -> Iterator[Chunk]:
        """Yield the rows after a place, about `size` at a time. Raises Rejected where the file is damaged."""
        for cut in self._source.cuts(place, size):
            yield Chunk(
                lines=cut.lines,
                rows=_rows(self._source.layout, cut),
                raw=cut.raw,
                place=cut.place,
                consumed=cut.consumed,
            )


def _rows(layout: Layout, cut: Cut) -> list[Row]:
    found = {member: cut.values(column, member) for member, column in layout}
    columns = {member: wire_values(member, values) for member, values in found.items() if values}
    names = tuple(columns)
    rows: list[Row] = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    rows = rows or [{}] * len(cut.lines)
    for index, problem in cut.broken.items():
        rows[index] = problem
    return rows
