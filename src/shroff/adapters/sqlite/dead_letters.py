"""The dead letters in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.rows import failed_message_of
from shroff.adapters.sqlite.sql import statements
from shroff.ports import DeadLetter

_SQL = statements("dead_letters")
_CHUNK = 500


class SqliteDeadLetters:
    """What could not be processed, kept until a person decides. What was discarded stays, unchanged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Iterator[DeadLetter]:
        """Oldest first."""
        number = 0
        while rows := self._database.rows(_SQL["after"], (number, _CHUNK)):
            yield from (_letter_of(row) for row in rows)
            number = rows[-1][0]

    def get(self, transaction_id: str) -> DeadLetter | None:
        """The letter of a transaction, discarded or not."""
        row = self._database.row(_SQL["get"], (transaction_id,))
        return None if row is None else _letter_of(row)

    def edit(self, transaction_id: str, body: bytes) -> bool:
        """Replace the body; False where there is no such letter, or it was discarded."""
        with self._database.write() as connection:
            return connection.execute(_SQL["edit"], (body, transaction_id)).rowcount == 1

    def redrive(self, transaction_ids: Iterable[str], now: int) -> int:
        """Hand them over again from a first attempt; returns how many were there to hand over."""
        ids = [(name,) for name in transaction_ids]
        with self._database.write() as connection:
            connection.executemany(_SQL["retry"], [(now, *name) for name in ids])
            return connection.executemany(_SQL["remove"], ids).rowcount

    def discard(self, transaction_ids: Iterable[str]) -> int:
        """Give them up for good; returns how many were not discarded before."""
        ids = [(name,) for name in transaction_ids]
        with self._database.write() as connection:
            return connection.executemany(_SQL["discard"], ids).rowcount


def _letter_of(row: Row) -> DeadLetter:
    return DeadLetter(message=failed_message_of(row[1:6]), died_at=row[6], discarded=bool(row[7]))
