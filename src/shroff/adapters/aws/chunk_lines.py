"""Records as lines of JSON, compressed: readable by pandas, Polars and Spark as they are.

A line is `{"seq", "transaction": {…}, "received_at", "decision": {…}}`; times are milliseconds, amounts minor
units, the snapshot of features base64 of little-endian float64.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO

import msgspec

from shroff.codec import encode
from shroff.core.errors import Damaged, Fault
from shroff.ports import Record

TOGETHER = 5_000
"""Records handed over at once."""

_LEVEL = 5
_record = msgspec.json.Decoder(Record)


def packed(records: Iterable[Sequence[Record]], most: int) -> Iterator[tuple[int, bytes]]:
    """(how many, compressed lines) of at most `most` records each; equal records give equal bytes."""
    rest = (record for part in records for record in part)
    while True:
        written, count = io.BytesIO(), 0
        # No name and no time in the header.
        with gzip.GzipFile(fileobj=written, mode="wb", compresslevel=_LEVEL, mtime=0) as file:
            for record in islice(rest, most):
                file.write(encode(record) + b"\n")
                count += 1
        if not count:
            return
        yield count, written.getvalue()


def unpacked(file: IO[bytes]) -> Iterator[list[Record]]:
    """The records of compressed lines, read as they are asked for. Raises Damaged for what is none."""
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as plain:
            lines = io.BufferedReader(plain)
            while chunk := [_record.decode(line) for line in islice(lines, TOGETHER)]:
                yield chunk
    except (msgspec.DecodeError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise Damaged([Fault("chunk", f"not a sealed window: {error}")]) from error
