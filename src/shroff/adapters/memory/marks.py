"""The late marks in memory."""

from __future__ import annotations


class MemoryLateMarks:
    """Sealed windows into which something came late, by the moment of the newest."""

    def __init__(self) -> None:
        self._marks: dict[int, int] = {}

    def mark(self, start: int, now: int) -> None:
        """Something is about to come into the window that begins at `start`."""
        self._marks[start] = max(now, self._marks.get(start, now - 1) + 1)

    def all(self) -> list[tuple[int, int]]:
        """(start of the window, the moment of its newest mark), the oldest window first."""
        return sorted(self._marks.items())

    def clear(self, start: int, number: int) -> None:
        """Forget a mark, unless it has grown since."""
        if self._marks.get(start) == number:
            del self._marks[start]
