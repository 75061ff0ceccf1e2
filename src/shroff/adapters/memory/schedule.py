"""The schedule in memory."""

from __future__ import annotations

from shroff.adapters.memory.shelves import Shelves


class MemorySchedule:
    """When each periodic job last ran to its end."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._ticks: dict[str, int] = {}

    def last(self, job: str) -> int | None:
        """None where the job has never run."""
        return self._ticks.get(job)

    def done(self, job: str, tick: int) -> None:
        """The job ran to its end for this tick."""
        with self._shelves.changing():
            self._ticks[job] = tick
