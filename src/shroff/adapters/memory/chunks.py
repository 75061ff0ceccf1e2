"""Sealed windows in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

from shroff.adapters.memory.shelves import CHUNK
from shroff.core.errors import Contended
from shroff.ports import SEALED, Record


class MemoryChunks:
    """Every record of a window, as it was when the window was sealed."""

    def __init__(self) -> None:
        self._sealed: dict[int, tuple[Record, ...]] = {}
        self._lock = Lock()

    def write(self, start: int, records: Iterable[Sequence[Record]]) -> int:
        """Replace a chunk; returns how many records it holds.

        Nothing of the records is read before the chunk that is there was looked at. Raises Contended
        where another one was put in its place meanwhile: that one may know more.
        """
        if start % SEALED:
            raise ValueError(f"no window begins at {start}")
        before = self._sealed.get(start)
        sealed = tuple(record for part in records for record in part)
        with self._lock:
            if self._sealed.get(start) is not before:
                raise Contended(f"the window at {start} was sealed by another meanwhile")
            self._sealed[start] = sealed
        return len(sealed)

    def read(self, start: int) -> Iterator[list[Record]] | None:
        """Its records by occurred_at, then transaction_id; None where it was never sealed."""
        sealed = self._sealed.get(start)
        if sealed is None:
            return None
        return (list(sealed[at : at + CHUNK]) for at in range(0, len(sealed), CHUNK))

    def windows(self, start: int, end: int) -> Iterator[int]:
        """Where the sealed windows begin that begin at start <= moment < end, in order."""
        yield from sorted(window for window in list(self._sealed) if start <= window < end)
