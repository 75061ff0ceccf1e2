"""Where each notification channel stands, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from shroff.adapters.sqlite.database import Database
from shroff.adapters.sqlite.rows import alert_of, failures_cell, failures_of
from shroff.adapters.sqlite.sql import statements
from shroff.core.alert import Alert
from shroff.ports import Failure

_SQL = statements("deliveries")


class SqliteDeliveries:
    """How far each notification channel has come, and what it could not deliver."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self, channel: str) -> int | None:
        """None where the channel has never run."""
        row = self._database.row(_SQL["position"], (channel,))
        return None if row is None else int(row[0])

    def advance(self, channel: str, position: int, failed: Mapping[str, tuple[Failure, int | None]]) -> None:
        """Move on; alert_id → (failure, next attempt or None for given up).

        Raises ValueError for a step back.
        """
        with self._database.write() as connection:
            if connection.execute(_SQL["advance"], (channel, position)).rowcount == 0:
                raise ValueError(f"channel {channel} was beyond {position} before")
            for alert_id, (failure, due_at) in failed.items():
                _fail(connection, channel, alert_id, failure, due_at)

    def due(self, channel: str, now: int) -> list[tuple[Alert, tuple[Failure, ...]]]:
        """What is to be tried again by now, in the order of the next attempts, with the failures so far."""
        rows = self._database.rows(_SQL["due"], (channel, now))
        return [(alert_of(row[1:]), failures_of(row[0])) for row in rows]

    def settle(self, channel: str, alert_id: str, failure: Failure | None, due_at: int | None) -> None:
        """Delivered where failure is None; else another attempt at due_at, or given up."""
        with self._database.write() as connection:
            if failure is None:
                connection.execute(_SQL["delivered"], (channel, alert_id))
            else:
                _fail(connection, channel, alert_id, failure, due_at)

    def dead(self) -> list[tuple[str, Alert, tuple[Failure, ...]]]:
        """(channel, alert, failures) of what was given up, by channel, in the order of raising."""
        return [(row[0], alert_of(row[2:]), failures_of(row[1])) for row in self._database.rows(_SQL["dead"])]

    def redrive(self, channel: str, alert_ids: Iterable[str], now: int) -> int:
        """Try again, from a first attempt, what was given up; returns how many were there to try."""
        rows = [(now, channel, alert_id) for alert_id in alert_ids]
        with self._database.write() as connection:
            return connection.executemany(_SQL["redrive"], rows).rowcount


def _fail(
    connection: sqlite3.Connection, channel: str, alert_id: str, failure: Failure, due_at: int | None
) -> None:
    row = connection.execute(_SQL["failures"], (channel, alert_id)).fetchone()
    failures = (*(() if row is None else failures_of(row[0])), failure)
    connection.execute(_SQL["fail"], (channel, alert_id, failures_cell(failures), due_at))
