"""The API keys in SQLite."""

from __future__ import annotations

import json
import sqlite3

from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.sql import statements
from shroff.ports import Key

_SQL = statements("keys")


class SqliteKeys:
    """The keys of those who may call; only digests of their secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: Key) -> None:
        """Keep a key. Raises ValueError where its key_id is taken."""
        scopes = json.dumps(sorted(key.scopes))
        row = (key.key_id, key.name, key.digest, scopes, key.rate, key.created_at, key.revoked)
        try:
            with self._database.write() as connection:
                connection.execute(_SQL["add"], row)
        except sqlite3.IntegrityError as error:
            raise ValueError(f"there is a key {key.key_id}") from error

    def revoke(self, key_id: str) -> bool:
        """Refuse a key from now on; False where there is none, or it was revoked before."""
        with self._database.write() as connection:
            return connection.execute(_SQL["revoke"], (key_id,)).rowcount == 1

    def all(self) -> list[Key]:
        """Oldest first, revoked ones too."""
        return [_key_of(row) for row in self._database.rows(_SQL["all"])]


def _key_of(row: Row) -> Key:
    key_id, name, digest, scopes, rate, created_at, revoked = row
    return Key(
        key_id=key_id,
        name=name,
        digest=digest,
        scopes=frozenset(json.loads(scopes)),
        rate=rate,
        created_at=created_at,
        revoked=bool(revoked),
    )
