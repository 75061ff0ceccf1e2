"""The SQLite file itself: opening, migrating, refusing, and what the world does to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from shroff.adapters.sqlite import SqliteQueue, SqliteStore, database
from shroff.adapters.sqlite.database import Database
from shroff.adapters.sqlite.sql import migrations, statements
from shroff.core.errors import Damaged, Rejected, Retryable
from shroff.ports import Work
from tests.adapters.processes import together
from tests.contracts.samples import alert, decided, dying, entry

PORTS = ("queue", "ledger", "dead_letters", "policies", "lists", "alerts", "deliveries", "keys")


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    with closing(SqliteQueue(tmp_path / "new" / "data" / "queue.db")) as queue:
        assert queue.last() == 0


def test_what_was_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.ledger.commit(
            Work(position=3, decided=[decided("a")], unsettled=[dying("b")], alerts=[alert("x")])
        )
        before = store.ledger.totals()
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        assert store.ledger.totals() == before
        assert store.ledger.position() == 3


def test_every_commit_is_synced_to_a_write_ahead_log(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "queue.db", "queue")) as opened:
        assert opened.rows("PRAGMA journal_mode") == [("wal",)]
        assert opened.number("PRAGMA synchronous") == 2


@pytest.mark.parametrize("schema", ["queue", "store"])
def test_a_new_file_is_migrated_to_the_newest_schema(tmp_path: Path, schema: database.Schema) -> None:
    with closing(Database(tmp_path / "any.db", schema)) as opened:
        assert opened.number("PRAGMA user_version") == len(migrations(schema))
        assert opened.number("PRAGMA application_id") != 0


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        queue.append([entry("a")])
    steps = (*migrations("queue"), ("DELETE FROM messages", "CREATE TABLE messages (a)"))
    monkeypatch.setattr(database, "migrations", lambda schema: steps)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        SqliteQueue(tmp_path / "queue.db")
    monkeypatch.undo()
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        assert queue.last() == 1


def test_an_older_file_gets_only_the_steps_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        queue.append([entry("a")])
    steps = (*migrations("queue"), ("ALTER TABLE messages ADD COLUMN note TEXT",))
    monkeypatch.setattr(database, "migrations", lambda schema: steps)
    for _ in range(2):
        with closing(Database(tmp_path / "queue.db", "queue")) as opened:
            assert opened.rows("SELECT transaction_id, note FROM messages") == [("a", None)]


def _text(path: Path) -> None:
    path.write_text("this is a letter to my aunt\n" * 100)


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (aunt)")


def _store(path: Path) -> None:
    SqliteStore(path).close()


def _newer(path: Path) -> None:
    with closing(SqliteQueue(path)):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (_text, "is not a Shroff queue: it is no database"),
    "another program's": (_foreign, "is a database, but not a Shroff queue"),
    "the store": (_store, "is a database, but not a Shroff queue"),
    "a newer one": (_newer, "was written by a newer Shroff (schema 99, this one knows 1)"),
}


@pytest.mark.parametrize(("make", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_is_no_queue_of_ours_is_refused_in_one_sentence_and_left_alone(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "queue.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(Rejected) as refused:
        SqliteQueue(path)
    assert str(refused.value) == f"{path} {sentence}"
    assert path.read_bytes() == before


def test_a_folder_in_the_place_of_the_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="cannot be opened"):
        SqliteQueue(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(Rejected, match="cannot be opened"):
        SqliteQueue(tmp_path / "data" / "queue.db")


def test_opening_waits_for_another_that_is_just_making_the_file(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        letting_go = Timer(0.2, other.execute, ["ROLLBACK"])
        letting_go.start()
        with closing(SqliteQueue(path)) as queue:
            assert queue.last() == 0
        letting_go.join()


def test_a_lock_held_too_long_is_retryable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    path = tmp_path / "queue.db"
    with closing(SqliteQueue(path)) as queue, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retryable, match="locked"):
            queue.append([entry("a")])
        other.execute("ROLLBACK")
        assert queue.append([entry("a")])[0].status == "accepted"


def test_a_full_disk_is_retryable_and_keeps_nothing(tmp_path: Path) -> None:
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        queue.append([entry("a")])
        _limit_pages(queue._database, 0)
        with pytest.raises(Retryable, match="full"):
            queue.append([entry(f"txn-{n}", b"x" * 100) for n in range(1_000)])
        assert queue.ids(0, 10) == [(1, "a")]
        _limit_pages(queue._database, 10_000)
        queue.append([entry("b")])
        assert queue.ids(0, 10) == [(1, "a"), (2, "b")]


def test_a_read_only_disk_is_retryable(tmp_path: Path) -> None:
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        queue._database.rows("PRAGMA query_only = ON")
        with pytest.raises(Retryable, match="readonly"):
            queue.append([entry("a")])


def test_a_wrong_statement_is_a_bug_and_not_retryable(tmp_path: Path) -> None:
    with (
        closing(Database(tmp_path / "queue.db", "queue")) as opened,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
    ):
        opened.rows("SELECT * FROM nowhere")


def test_an_interrupted_transaction_keeps_nothing(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "queue.db", "queue")) as opened:
        insert = statements("queue")["insert"]

        def interrupted() -> None:
            with opened.write() as connection:
                connection.execute(insert, ("a", b"", 0))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert opened.number("SELECT count(*) FROM messages") == 0


def test_the_data_version_tells_of_commits_by_others_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as mine, closing(SqliteStore(path)) as other:
        before = mine.data_version()
        mine.policies.publish("v1", "", 1)
        assert mine.data_version() == before
        other.policies.publish("v2", "", 2)
        assert mine.data_version() != before


@pytest.mark.parametrize("port", PORTS)
def test_every_named_statement_fits_the_schema(tmp_path: Path, port: str) -> None:
    schema: database.Schema = "queue" if port == "queue" else "store"
    with closing(Database(tmp_path / "any.db", schema)) as opened:
        for statement in statements(port).values():
            asked = statement.replace(":values", "?")
            # A numbered parameter counts once however often it stands there.
            parameters = (None,) * (1 if "?1" in asked else asked.count("?"))
            assert opened.rows(f"EXPLAIN {asked}", parameters)


OPEN = """
import sys
from shroff.adapters.sqlite import SqliteQueue, SqliteStore

SqliteQueue(sys.argv[2] + "/queue.db").append([])
SqliteStore(sys.argv[2] + "/store.db").policies.publish("v", "", 1)
"""


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_open_a_new_folder_at_once_all_succeed(tmp_path: Path, attempt: int) -> None:
    together(OPEN, tmp_path / "data", tmp_path / "gate", processes=4)
    with closing(SqliteStore(tmp_path / "data" / "store.db")) as store:
        assert [each.number for each in store.policies.history()] == [1, 2, 3, 4]


def _limit_pages(opened: Database, pages: int) -> None:
    """Let the file have so many pages; one that is larger already keeps its size."""
    opened.rows(f"PRAGMA max_page_count = {max(pages, 1)}")


def test_a_store_that_is_damaged_inside_is_told_in_a_sentence(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.lists.add("blocked", ((f"value-{number}", None) for number in range(20_000)))
    store.close()
    content = bytearray((tmp_path / "store.db").read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 81_920] = b"\xa5" * 81_920
    (tmp_path / "store.db").write_bytes(content)
    damaged = SqliteStore(tmp_path / "store.db")
    with pytest.raises(Damaged, match="restore it from a backup"):
        for _ in damaged.lists.entries("blocked"):
            pass
    damaged.close()
