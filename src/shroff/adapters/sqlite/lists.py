"""Allowlists and blocklists in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from shroff.adapters.sqlite.database import Database
from shroff.adapters.sqlite.sql import statements

_SQL = statements("lists")
_CHUNK = 20_000


class SqliteLists:
    """Allowlists and blocklists, a million entries and more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, entries: Iterable[tuple[str, int | None]]) -> int:
        """Add (value, expires_at or None); a value added again takes the new expiry.

        Returns how many were given. A chunk a commit, so that a long list does not keep the worker waiting:
        after a failure some are kept, and adding all of them again completes the list.
        """
        added = 0
        rows = ((name, value, expires_at) for value, expires_at in entries)
        while chunk := list(islice(rows, _CHUNK)):
            with self._database.write() as connection:
                connection.executemany(_SQL["add"], chunk)
            added += len(chunk)
        return added

    def remove(self, name: str, values: Iterable[str]) -> int:
        """Take values off a list; returns how many were on it."""
        removed = 0
        rows = ((name, value) for value in values)
        while chunk := list(islice(rows, _CHUNK)):
            with self._database.write() as connection:
                removed += connection.executemany(_SQL["remove"], chunk).rowcount
        return removed

    def members(self, name: str, values: Sequence[str], now: int) -> set[str]:
        """Those of the values that are on the list and not expired."""
        if self._database.row(_SQL["any"], (name,)) is None:
            return set()
        return {value for (value,) in self._database.among(_SQL["members"], values, (name, now))}

    def entries(self, name: str) -> Iterator[tuple[str, int | None]]:
        """(value, expires_at) by value, expired ones too."""
        statement, after = _SQL["first"], ""
        while rows := self._database.rows(statement, (name, after, _CHUNK)):
            yield from ((value, expires_at) for value, expires_at in rows)
            statement, after = _SQL["after"], rows[-1][0]

    def counts(self) -> dict[str, int]:
        """Name → entries, expired ones too."""
        return dict(self._database.rows(_SQL["counts"]))
