"""Rows of CSV: all of it text, so that an amount keeps its digits.

The standard library's reader, because it knows each row's line, and because one bad row is one bad row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shroff.adapters.files.chunks import Cut
from shroff.adapters.files.layout import TRANSACTION, Contract, Layout, lay_out
from shroff.adapters.files.plain import fault
from shroff.adapters.files.stream import opened, size_of, text_of
from shroff.core.errors import Fault, Rejected

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t|"
_BREAK = re.compile(r"\r\n|\r|\n")


class Delimited:
    """A CSV file with a header, UTF-8, separated by comma, semicolon, tab or bar."""

    unit: Literal["rows", "bytes"] = "bytes"

    def __init__(self, path: Path, mapping: Mapping[str, str], contract: Contract = TRANSACTION) -> None:
        self._path = path
        self.total = size_of(path)
        with opened(path) as (binary, _):
            header, _ = self._header(text_of(binary))
        self._columns = {name: at for at, name in enumerate(header)}
        self.layout: Layout = lay_out(path, mapping, header, contract=contract)

    def cuts(self, place: int, size: int) -> Iterator[Cut]:
        """Yield cuts of so many records after a place, which counts records."""
        with opened(self._path) as (binary, consumed):
            text = text_of(binary)  # it closes the file when nobody holds it
            _, reader = self._header(text)
            next(islice(reader, place, place), None)
            while True:
                first = reader.line_num + 1
                records = self._records(reader, size)
                if not records:
                    return
                place += len(records)
                lines = _lines(records, first, reader.line_num)
                whole = [(line, record) for line, record in zip(lines, records, strict=True) if record]
                yield _cut(self._columns, whole, place, consumed())

    def _header(self, text: io.TextIOWrapper) -> tuple[list[str], Reader]:
        line = text.readline(1 << 20)
        delimiter = max(_DELIMITERS, key=line.count)
        reader = csv.reader(chain([line] if line else [], text), delimiter=delimiter)
        header = [name.strip() for name in next(iter(self._records(reader, 1)), [])]
        if not any(header):
            raise fault(self._path, "is empty: a header with the names of the columns comes first")
        if any("\x00" in name or "\ufffd" in name or not name.isprintable() for name in header):
            raise fault(self._path, "is not a CSV file in UTF-8")
        return header, reader

    def _records(self, reader: Reader, size: int) -> list[list[str]]:
        try:
            return list(islice(reader, size))
        except csv.Error as error:
            raise fault(self._path, f"line {reader.line_num} is not CSV: {error}") from None


def _cut(header: Mapping[str, int], whole: list[tuple[int, list[str]]], place: int, consumed: int) -> Cut:
    width, records = len(header), [record for _, record in whole]
    fitting = [record if len(record) == width else [""] * width for record in records]
    columns = list(zip(*fitting, strict=True)) if fitting else [()] * width
    return Cut(
        lines=[line for line, _ in whole],
        values=partial(_values, header, columns),
        raw=partial(_raw, header, records),
        broken=_broken(records, tuple(header)),
        place=place,
        consumed=consumed,
    )


def _values(
    header: Mapping[str, int], columns: Sequence[Sequence[str]], column: str, _: str
) -> Sequence[str]:
    return columns[header[column]]


def _raw(header: Mapping[str, int], records: Sequence[Sequence[str]], index: int) -> Any:
    values = [value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for value in records[index]]
    return dict(zip(header, values, strict=True)) if len(values) == len(header) else values


def _lines(records: list[list[str]], first: int, last: int) -> Sequence[int]:
    """The line at which each record begins; a quoted value may hold line breaks."""
    if last - first + 1 == len(records):
        return range(first, last + 1)
    lines = []
    for record in records:
        lines.append(first)
        first += 1 + sum(len(_BREAK.findall(value)) for value in record)
    return lines


def _broken(records: list[list[str]], header: tuple[str, ...]) -> dict[int, Rejected]:
    broken = {
        index: Rejected([Fault("row", f"the row has {len(record)} values, the header has {len(header)}")])
        for index, record in enumerate(records)
        if len(record) != len(header)
    }
    if not _is_unicode(chain.from_iterable(records)):
        for index, record in enumerate(records):
            if index not in broken and not _is_unicode(record):
                wrong = [name for name, value in zip(header, record, strict=True) if not _is_unicode([value])]
                broken[index] = Rejected([Fault(name, f"{name} is not UTF-8") for name in wrong])
    return broken


def _is_unicode(values: Any) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True
