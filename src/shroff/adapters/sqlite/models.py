"""The registry of models in SQLite."""

from __future__ import annotations

from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.sql import statements
from shroff.ports import Registration

_SQL = statements("models")


class SqliteModels:
    """The models that policies may name; none is ever removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, version: str, name: str, document: bytes, at: int) -> Registration:
        """Keep a model. One that is there stays as it is, and is no longer retired."""
        with self._database.write() as connection:
            connection.execute(_SQL["add"], (version, name, document, at))
            return _registration_of(connection.execute(_SQL["get"], (version,)).fetchone())

    def document(self, version: str) -> bytes | None:
        """The document of a version, retired or not."""
        row = self._database.row(_SQL["document"], (version,))
        return None if row is None else bytes(row[0])

    def all(self) -> list[Registration]:
        """Oldest first; those of one moment by their version."""
        return [_registration_of(row) for row in self._database.rows(_SQL["all"])]

    def retire(self, version: str, at: int) -> bool:
        """False where there is no such model, or it was retired before."""
        with self._database.write() as connection:
            return connection.execute(_SQL["retire"], (at, version)).rowcount == 1


def _registration_of(row: Row) -> Registration:
    version, name, added_at, retired_at = row
    return Registration(version=version, name=name, added_at=added_at, retired_at=retired_at)
