"""The ledger with its sealed windows: what is in a chunk is not read from the table again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shroff.ports import SEALED, Chunks, Fate, LateMarks, Ledger, Message, Record, Work

_END = 253_402_300_800_000
"""The year 10000: nothing can have occurred later."""


class ArchivedLedger:
    """A ledger whose history comes from sealed windows where there are any, and from itself for the rest."""

    def __init__(self, ledger: Ledger, chunks: Chunks, marks: LateMarks) -> None:
        self._ledger, self._chunks, self._marks = ledger, chunks, marks

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        """Records with start <= occurred_at < end, by occurred_at, then transaction_id.

        Marks are looked at first: what is marked later was not in the ledger when this was asked.
        """
        asked, first, last = start, -(-start // SEALED) * SEALED, end // SEALED * SEALED
        marked = {window for window, _ in self._marks.all(first, last)}
        for window in self._chunks.windows(first, last):
            records = None if window in marked else self._chunks.read(window)
            if records is None:
                continue
            # Unsealed windows that follow each other are one query.
            if asked < window:
                yield from self._ledger.between(asked, window)
            yield from records
            asked = window + SEALED
        if asked < end:
            yield from self._ledger.between(asked, end)

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        """Records whose seq is above `after`, by occurred_at: many workers' records have no one order."""
        for records in self.between(0, _END):
            later = [each for each in records if each.seq > after]
            if later:
                yield later

    def commit(self, work: Work) -> None:
        """As the ledger does."""
        self._ledger.commit(work)

    def position(self) -> int:
        """As the ledger says."""
        return self._ledger.position()

    def fates(self, transaction_ids: Sequence[str]) -> dict[str, Fate]:
        """As the ledger says."""
        return self._ledger.fates(transaction_ids)

    def due(self, now: int, limit: int) -> list[Message]:
        """As the ledger says."""
        return self._ledger.due(now, limit)

    def find(self, transaction_id: str) -> Record | None:
        """As the ledger says."""
        return self._ledger.find(transaction_id)

    def newest(self) -> int | None:
        """As the ledger says."""
        return self._ledger.newest()

    def totals(self) -> dict[str, int]:
        """As the ledger says."""
        return self._ledger.totals()
