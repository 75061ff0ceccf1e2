"""Loading history: rows of a file through the same door as the gateway's transactions, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shroff.core.errors import Fault, Rejected
from shroff.flows.ingest import entry_of_members
from shroff.ports import Clock, Entry, Queue

Reject = tuple[int, tuple[Fault, ...], Any]
"""Line, what is wrong with it, and the row as the file has it."""

_CONFLICT = (Fault("transaction_id", "transaction_id was accepted before with other content"),)


class Chunk(Protocol):
    """Some rows of a file, each the members of one transaction or why it cannot be read."""

    @property
    def lines(self) -> Sequence[int]:
        """Where each row begins in the file, from 1."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any] | Rejected]:
        """The rows, in the order of the file."""

    @property
    def raw(self) -> Callable[[int], Any]:
        """A row by its index, as the file has it."""

    @property
    def place(self) -> int:
        """Where to go on after this chunk."""

    @property
    def consumed(self) -> int:
        """How much of the file has been read, in the file's own unit."""


class Rows(Protocol):
    """A file of transactions."""

    def chunks(self, place: int) -> Iterable[Chunk]:
        """The rows after a place; 0 is the beginning."""


class Bookmark(Protocol):
    """How far an import has come, kept over restarts."""

    def place(self) -> int:
        """Where to go on; 0 is the beginning."""

    def move(self, place: int, rejects: Iterable[Reject]) -> None:
        """Keep the rejects, no line twice, then the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What has become of the rows so far, in this run."""

    accepted: int = 0
    repeated: int = 0
    """Accepted before with the same content."""
    conflicts: int = 0
    """Accepted before with other content; kept with the rejects."""
    rejected: int = 0
    consumed: int = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.accepted + self.repeated + self.conflicts + self.rejected


def mapping_of(pairs: Iterable[str]) -> dict[str, str]:
    """Member → column from texts such as `customer_id=CUSTOMER_ID`. Raises Rejected with all faults."""
    mapping: dict[str, str] = {}
    faults = []
    for pair in pairs:
        member, equals, column = (part.strip() for part in pair.partition("="))
        if not (member and equals and column):
            faults.append(Fault("map", f'"{pair}" is no mapping: give member=COLUMN'))
        elif member in mapping:
            faults.append(Fault("map", f"{member} is mapped twice: from {mapping[member]} and from {column}"))
        else:
            mapping[member] = column
    if faults:
        raise Rejected(faults)
    return mapping


def load(
    rows: Rows,
    queue: Queue,
    bookmark: Bookmark,
    *,
    currency: str,
    clock: Clock,
    wait_for_room: Callable[[], None],
) -> Iterator[Loaded]:
    """Append every row to the queue, chunk by chunk; yields after each what has become of the rows so far.

    Goes on where the bookmark stands. It is moved when a chunk is durable, so a crash repeats at most one
    chunk, which its ids make harmless. `wait_for_room` may block before a chunk while too much is in flight.
    Raises Rejected where the file is damaged, Retryable where the queue refuses: run it again to go on.
    """
    loaded = Loaded()
    for chunk in rows.chunks(bookmark.place()):
        wait_for_room()
        entries, rejects = _sort(chunk, currency, clock())
        rejected = len(rejects)
        statuses = (
            [receipt.status for receipt in queue.append([entry for _, entry in entries])] if entries else []
        )
        rejects += [
            (chunk.lines[index], _CONFLICT, chunk.raw(index))
            for (index, _), status in zip(entries, statuses, strict=True)
            if status == "conflict"
        ]
        bookmark.move(chunk.place, sorted(rejects, key=_line))
        loaded = Loaded(
            accepted=loaded.accepted + statuses.count("accepted"),
            repeated=loaded.repeated + statuses.count("repeated"),
            conflicts=loaded.conflicts + statuses.count("conflict"),
            rejected=loaded.rejected + rejected,
            consumed=chunk.consumed,
        )
        yield loaded


def _sort(chunk: Chunk, currency: str, received_at: int) -> tuple[list[tuple[int, Entry]], list[Reject]]:
    """The good rows as entries, by index, and the bad ones."""
    entries: list[tuple[int, Entry]] = []
    rejects: list[Reject] = []
    for index, row in enumerate(chunk.rows):
        try:
            if isinstance(row, Rejected):
                raise row
            entries.append((index, entry_of_members(row, currency=currency, received_at=received_at)))
        except Rejected as problem:
            rejects.append((chunk.lines[index], problem.faults, chunk.raw(index)))
    return entries, rejects


def _line(reject: Reject) -> int:
    return reject[0]
