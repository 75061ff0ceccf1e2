"""One SQLite file: opened, migrated, read and written as every part of this adapter needs it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from shroff.adapters.sqlite.sql import migrations
from shroff.core.errors import Damaged, Fault, Rejected, Retryable

Schema = Literal["queue", "store"]
Row = tuple[Any, ...]

_APPLICATIONS: dict[Schema, int] = {"queue": 0x53687271, "store": 0x53687273}
_PATIENCE = 5.0
"""Seconds to wait for another writer."""
_CHECKPOINT_PAGES = 4_000
_CACHE_KIB = 65_536
_PARAMETERS = 500
"""Values bound to one statement at most; some builds of SQLite allow no more than 999."""

# Memory mapping stays off: with it, a failing disk kills the process instead of raising an error.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = OFF",
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
    "PRAGMA temp_store = MEMORY",
)
_WORLD = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Result codes that tell of the world and not of the program."""


class Database:
    """A connection to one file, for one thread at a time: open one a thread, or lock around it.

    Raises Rejected where the file cannot be used at all, Retryable where another attempt may do:
    locked for too long, a full, read-only or failing disk.
    """

    def __init__(self, path: Path | str, schema: Schema) -> None:
        self.path = Path(path)
        self._connection = _open(self.path, schema)

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows that a statement answers."""
        with self._translated():
            return self._connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Sequence[object] = ()) -> Row | None:
        """The first row that a statement answers."""
        with self._translated():
            found: Row | None = self._connection.execute(statement, parameters).fetchone()
            return found

    def number(self, statement: str) -> int:
        """The one integer that a statement answers."""
        return int(self.rows(statement)[0][0])

    def among(
        self, statement: str, values: Sequence[str], parameters: Sequence[object] = ()
    ) -> Iterator[Row]:
        """Rows of a statement with `IN (:values)` as its last condition, asked in chunks."""
        for start in range(0, len(values), _PARAMETERS):
            chunk = values[start : start + _PARAMETERS]
            marks = ",".join("?" * len(chunk))
            yield from self.rows(statement.replace(":values", marks), (*parameters, *chunk))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that keeps everything or, after any error, nothing."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield self._connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads within see one state of the file."""
        with self._transaction("BEGIN"):
            yield

    def data_version(self) -> int:
        """A number that changes when another connection has committed; cheap to poll."""
        return self.number("PRAGMA data_version")

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._translated():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if _code(error) in _WORLD:
                raise Retryable(f"{self.path}: {error}") from error
            if _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                sentence = f"{self.path} is damaged: {error}; restore it from a backup"
                raise Damaged([Fault("data", sentence)]) from error
            raise


def insert(connection: sqlite3.Connection, statement: str, rows: Sequence[Row]) -> int:
    """Insert rows by a statement for one, many at a time; returns how many are new.

    Python's lock is given back once a statement. Where another thread takes it, getting it again for each row
    is what most of the time goes to.
    """
    if not rows:
        return 0
    row = f"({', '.join('?' * len(rows[0]))})"
    together = _PARAMETERS // len(rows[0])
    several = statement.replace(row, ", ".join([row] * together))
    new, rest = 0, len(rows) - len(rows) % together
    for start in range(0, rest, together):
        cells = list(chain.from_iterable(rows[start : start + together]))
        new += connection.execute(several, cells).rowcount
    # Not together, as each number of rows would be another statement to prepare and to remember.
    return new + max(connection.executemany(statement, rows[rest:]).rowcount, 0)


def _code(error: sqlite3.Error) -> int:
    """The primary result code; an extended one has more in its higher bytes."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _open(path: Path, schema: Schema) -> sqlite3.Connection:
    """Open and migrate; two processes that do so at once wait for each other."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(path, schema)
        except OSError as error:
            raise _unusable(path, f"cannot be opened: {error.strerror}") from None
        except sqlite3.DatabaseError as error:
            # Turning on WAL does not wait for others by itself.
            if _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() < until:
                time.sleep(0.01)
                continue
            raise _opening_failed(path, schema, error) from None


def _connect(path: Path, schema: Schema) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _check(connection, path, schema)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _migrate(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Refuse the file of another program before changing anything in it."""
    # In this order: another process may just be making the tables and the id, in one commit.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and application != _APPLICATIONS[schema]:
        raise _unusable(path, f"is a database, but not a Shroff {schema}")


def _migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    steps = migrations(schema)
    if _version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    done = _version(connection)  # another process may have been first
    if done > len(steps):
        raise _unusable(path, f"was written by a newer Shroff (schema {done}, this one knows {len(steps)})")
    for step in steps[done:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _unusable(path: Path, problem: str) -> Rejected:
    return Rejected([Fault("data", f"{path} {problem}")])


def _opening_failed(path: Path, schema: Schema, error: sqlite3.DatabaseError) -> Exception:
    code = _code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return _unusable(path, f"is not a Shroff {schema}: it is no database")
    if code == sqlite3.SQLITE_CORRUPT:
        return _unusable(path, f"is damaged: {error}")
    if code == sqlite3.SQLITE_CANTOPEN:
        return _unusable(path, "cannot be opened: is it a folder, or not yours to read?")
    return Retryable(f"{path}: {error}") if code in _WORLD else error
