"""The late marks in memory."""

from __future__ import annotations

from shroff.ports import FOREVER


class MemoryLateMarks:
    """Sealed windows into which something came late, by the moment of the newest."""

    def __init__(self) -> None:
        self._marks: dict[int, int] = {}

    def mark(self, start: int, now: int) -> None:
        """Something is about to come into the window that begins at `start`."""
        self._marks[start] = max(now, self._marks.get(start, now - 1) + 1)

    def all(self, start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
        """(start of the window, the moment of its newest mark), the oldest window first."""
        return sorted(each for each in self._marks.items() if start <= each[0] < end)

    def clear(self, start: int, number: int) -> None:
        """Forget a mark, unless it has grown since."""
        if self._marks.get(start) == number:
            del self._marks[start]
