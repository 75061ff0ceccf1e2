"""The alert log in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from shroff.adapters.sqlite.database import Database
from shroff.adapters.sqlite.rows import alert_cells, alert_of
from shroff.adapters.sqlite.sql import statements
from shroff.core.alert import Alert

_SQL = statements("alerts")


class SqliteAlerts:
    """The alert log: in the order of raising, each alert once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alerts: Sequence[Alert], *, count_hits: bool = True) -> int:
        """Keep alerts, counting hits on those already there unless told not to; returns how many are new."""
        with self._database.write() as connection:
            return keep_alerts(connection, alerts, count_hits=count_hits)

    def last(self) -> int:
        """The position of the newest alert; 0 without any."""
        return int(self._database.rows(_SQL["last"])[0][0])

    def after(self, position: int, limit: int) -> list[tuple[int, Alert]]:
        """(position, alert) in the order of raising, from above a position."""
        return [(row[0], alert_of(row[1:])) for row in self._database.rows(_SQL["after"], (position, limit))]

    def between(self, start: int, end: int) -> list[Alert]:
        """Alerts with start <= occurred_at < end, by occurred_at, then alert_id."""
        return [alert_of(row) for row in self._database.rows(_SQL["between"], (start, end))]


def keep_alerts(connection: sqlite3.Connection, alerts: Sequence[Alert], *, count_hits: bool) -> int:
    """Keep alerts within a transaction; returns how many are new."""
    if not alerts:
        return 0
    (before,) = connection.execute(_SQL["last"]).fetchone()
    connection.executemany(_SQL["hit" if count_hits else "keep"], [alert_cells(each) for each in alerts])
    (after,) = connection.execute(_SQL["last"]).fetchone()
    return int(after - before)
