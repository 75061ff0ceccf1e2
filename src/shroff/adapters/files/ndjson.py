"""Rows of newline-delimited JSON, numbers exact."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from shroff.adapters.files.chunks import Cut
from shroff.adapters.files.layout import TRANSACTION, Contract, Layout, lay_out
from shroff.adapters.files.plain import fault
from shroff.adapters.files.stream import opened, size_of
from shroff.codec import decode_object
from shroff.core.errors import Rejected

_LONGEST_LINE = 1 << 20
_PEEKED = 1_000


class Ndjson:
    """A file with one JSON object a line; blank lines are skipped.

    A mapped column has to be in one of the first 1,000 lines, so that a slip in a name is told at once.
    """

    unit: Literal["rows", "bytes"] = "bytes"

    def __init__(self, path: Path, mapping: Mapping[str, str], contract: Contract = TRANSACTION) -> None:
        self._path = path
        self.total = size_of(path)
        with opened(path) as (binary, _):
            lines = list(islice(self._lines(binary), _PEEKED))
        if lines[0].lstrip().startswith(b"["):
            raise fault(path, "is a JSON array; give one object a line")
        columns: dict[str, None] = {}
        for members, _ in map(_decoded, lines):
            columns |= dict.fromkeys(members)
        if not columns:
            raise fault(path, "is not newline-delimited JSON: no line at its beginning is an object")
        self.layout: Layout = lay_out(path, mapping, tuple(columns), complete=False, contract=contract)

    def cuts(self, place: int, size: int) -> Iterator[Cut]:
        """Yield cuts of so many lines after a place, which counts lines."""
        with opened(self._path) as (binary, consumed):
            reading = self._lines(binary)
            next(islice(reading, place, place), None)
            while lines := list(islice(reading, size)):
                yield _cut(lines, place, consumed())
                place += len(lines)

    def _lines(self, binary: io.BufferedReader) -> Iterator[bytes]:
        number = 0
        while line := binary.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise fault(self._path, f"line {number} is longer than 1 MiB; give one object a line")
            yield line


def _cut(lines: list[bytes], place: int, consumed: int) -> Cut:
    kept = [(at, text) for at, line in enumerate(lines, place + 1) if (text := line.strip())]
    texts = [text for _, text in kept]
    decoded = [_decoded(text) for text in texts]
    members = [members for members, _ in decoded]
    broken = {index: problem for index, (_, problem) in enumerate(decoded) if problem is not None}
    return Cut(
        lines=[at for at, _ in kept],
        values=partial(_values, members, set().union(*members)),
        raw=partial(_raw, texts, broken),
        broken=broken,
        place=place + len(lines),
        consumed=consumed,
    )


def _values(rows: Sequence[Mapping[str, Any]], there: Collection[str], column: str, _: str) -> Sequence[Any]:
    return [row.get(column) for row in rows] if column in there else ()


def _raw(texts: Sequence[bytes], broken: Collection[int], index: int) -> Any:
    text = texts[index]
    return text.decode("utf-8", "replace") if index in broken else msgspec.Raw(text)


def _decoded(text: bytes) -> tuple[Mapping[str, Any], Rejected | None]:
    try:
        return decode_object(text), None
    except Rejected as problem:
        return {}, problem
