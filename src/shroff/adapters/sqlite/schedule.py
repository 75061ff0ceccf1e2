"""The schedule in SQLite."""

from __future__ import annotations

from shroff.adapters.sqlite.database import Database

_LAST = "SELECT tick FROM schedule WHERE job = ?"
_DONE = "INSERT OR REPLACE INTO schedule (job, tick) VALUES (?, ?)"


class SqliteSchedule:
    """When each periodic job last ran to its end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, job: str) -> int | None:
        """None where the job has never run."""
        row = self._database.row(_LAST, (job,))
        return None if row is None else int(row[0])

    def done(self, job: str, tick: int) -> None:
        """The job ran to its end for this tick."""
        with self._database.write() as connection:
            connection.execute(_DONE, (job, tick))
