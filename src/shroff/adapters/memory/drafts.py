"""Reports in the making, in memory."""

from __future__ import annotations


class MemoryDrafts:
    """Answers Drafts; what a draft did not save is gone with it."""

    def __init__(self) -> None:
        self._saved: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._tallies: dict[str, bytes] = {}
        self.tables: dict[tuple[str, str], bytes] = {}
        """(date, name) → the table of a finished draft."""

    def open(self, date: str, name: str) -> MemoryDraft:
        """The draft as it was saved last, or an empty one."""
        return MemoryDraft(self, date, name)

    def tally(self, date: str) -> bytes | None:
        """What a finished day amounts to."""
        return self._tallies.get(date)

    def saved(self, date: str, name: str) -> tuple[bytes, bytes] | None:
        """(table, progress) as one saved them."""
        return self._saved.get((date, name))

    def save(self, date: str, name: str, table: bytes, progress: bytes) -> None:
        """Keep both as one."""
        self._saved[date, name] = table, progress

    def finish(self, date: str, name: str, table: bytes, tally: bytes) -> str:
        """Keep the finished table, and the tally of its day."""
        self._saved.pop((date, name), None)
        self.tables[date, name], self._tallies[date] = table, tally
        return f"memory:{date}/{name}"


class MemoryDraft:
    """Answers Draft for one day."""

    def __init__(self, drafts: MemoryDrafts, date: str, name: str) -> None:
        self._drafts, self._date, self._name = drafts, date, name
        saved = drafts.saved(date, name)
        self._table = bytearray(b"" if saved is None else saved[0])
        self._progress = None if saved is None else saved[1]

    @property
    def progress(self) -> bytes | None:
        """What was saved last."""
        return self._progress

    def write(self, rows: bytes) -> None:
        """Go on with the table."""
        self._table += rows

    def save(self, progress: bytes) -> None:
        """Keep the table so far with its progress."""
        self._progress = progress
        self._drafts.save(self._date, self._name, bytes(self._table), progress)

    def finish(self, tally: bytes) -> str:
        """Put the table in its place and end the draft."""
        return self._drafts.finish(self._date, self._name, bytes(self._table), tally)
