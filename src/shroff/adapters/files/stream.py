"""Files as streams of bytes, packed with gzip or not, that tell how far they have been read."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shroff.adapters.files.plain import fault, told


def size_of(path: Path) -> int:
    """Bytes of a file. Raises Rejected where there is none, or nothing in it."""
    with told(path):
        size = path.stat().st_size
    if size == 0:
        raise fault(path, "is empty")
    return size


@contextmanager
def opened(path: Path) -> Iterator[tuple[io.BufferedReader, Callable[[], int]]]:
    """The bytes of a file, unpacked, and a function that tells how many stored bytes have been read."""
    with told(path), path.open("rb") as stored:
        try:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=stored) as unpacked:
                    yield io.BufferedReader(unpacked, 1 << 16), stored.tell
            else:
                yield stored, stored.tell
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise fault(path, "is damaged or cut off: it cannot be unpacked to its end") from None


def text_of(binary: io.BufferedReader) -> io.TextIOWrapper:
    """The text of UTF-8 bytes; other bytes become lone surrogates, so that one bad row is one bad row."""
    return io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
