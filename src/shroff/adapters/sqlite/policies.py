"""The published policies in SQLite."""

from __future__ import annotations

from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.sql import statements
from shroff.ports import Publication

_SQL = statements("policies")


class SqlitePolicies:
    """Every policy that ever was in force; the newest publication is the one that is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, version: str, document: str, at: int) -> Publication:
        """Put a policy in force, also one that was in force before."""
        with self._database.write() as connection:
            number = connection.execute(_SQL["publish"], (version, document, at)).lastrowid or 0
        return Publication(number=number, version=version, document=document, published_at=at)

    def active(self) -> Publication | None:
        """The newest publication."""
        row = self._database.row(_SQL["active"])
        return None if row is None else _publication_of(row)

    def get(self, version: str) -> Publication | None:
        """The newest publication of a version."""
        row = self._database.row(_SQL["get"], (version,))
        return None if row is None else _publication_of(row)

    def history(self) -> list[Publication]:
        """All publications, the first one first."""
        return [_publication_of(row) for row in self._database.rows(_SQL["history"])]


def _publication_of(row: Row) -> Publication:
    number, version, document, published_at = row
    return Publication(number=number, version=version, document=document, published_at=published_at)
