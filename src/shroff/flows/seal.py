"""Sealing a window of history: every record that occurred in it, as one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import chain, groupby, islice

from shroff.ports import SEALED, Chunks, LateMarks, Ledger, Record

QUIET = 180_000
"""Milliseconds after its mark in which a commit has ended, and an index that lags behind has it too."""

_TOGETHER = 5_000


def seal(
    start: int, ledger: Ledger, chunks: Chunks, marks: LateMarks, *, now: int, marked: int | None = None
) -> int:
    """Seal the window that begins at `start`, or seal it again; returns how many records its chunk holds.

    The ledger is the one that was committed to, not an archive. A mark younger than QUIET stays, and with it
    the window is sealed once more: its record may still be on its way. Raises Contended where another seals
    the same window; that one's chunk is as good. Where the mark is known already it is not looked for.
    """
    if marked is None:
        marked = dict(marks.all(start, start + 1)).get(start)
    held = chunks.write(start, _joined(start, ledger, chunks))
    if marked is not None and marked < now - QUIET:
        marks.clear(start, marked)
    return held


def _joined(start: int, ledger: Ledger, chunks: Chunks) -> Iterator[list[Record]]:
    """What the ledger holds and what was sealed before: a ledger may keep its records for a shorter time."""
    sealed = chunks.read(start)
    if sealed is None:
        yield from ledger.between(start, start + SEALED)
        return
    both = merge(_each(sealed), _each(ledger.between(start, start + SEALED)), key=_place)
    once = (next(same) for _, same in groupby(both, _place))
    while part := list(islice(once, _TOGETHER)):
        yield part


def _each(parts: Iterator[list[Record]]) -> Iterator[Record]:
    return chain.from_iterable(parts)


def _place(record: Record) -> tuple[int, str]:
    return record.transaction.occurred_at, record.transaction.transaction_id
