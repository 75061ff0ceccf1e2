"""The SQLite ledger: what its reads cost, and what is left of a commit that fails or dies."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shroff.adapters.sqlite import SqliteStore
from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.sql import statements
from shroff.core.errors import Retryable
from shroff.ports import Work
from tests.contracts.samples import alert, decided, dying, retrying

PLANS: dict[tuple[str, str], tuple[Row, str]] = {
    ("ledger", "between"): ((10, "a", 20, 5), "SEARCH records USING INDEX records_by_time"),
    ("ledger", "history"): ((10, 5), "SEARCH records USING INTEGER PRIMARY KEY"),
    ("ledger", "find"): (("a",), "SEARCH records USING INDEX sqlite_autoindex_records_1"),
    ("ledger", "decided among"): (("a",), "SEARCH records USING COVERING INDEX"),
    ("ledger", "newest"): ((), "SEARCH records USING COVERING INDEX records_by_time"),
    ("ledger", "due"): ((10, 5), "SEARCH retries USING INDEX retries_by_due"),
    ("dead_letters", "after"): ((10, 5), "SEARCH dead_letters USING INTEGER PRIMARY KEY"),
    ("alerts", "after"): ((10, 5), "SEARCH alerts USING INTEGER PRIMARY KEY"),
    ("alerts", "between"): ((10, 20), "SEARCH alerts USING INDEX alerts_by_time"),
    ("lists", "members"): (("blocked", 10, "a"), "SEARCH list_entries USING PRIMARY KEY"),
    ("lists", "after"): (("blocked", "a", 5), "SEARCH list_entries USING PRIMARY KEY"),
}


@pytest.mark.parametrize(("port", "name"), PLANS, ids=" ".join)
def test_a_read_goes_by_its_index_and_sorts_nothing(tmp_path: Path, port: str, name: str) -> None:
    parameters, search = PLANS[port, name]
    with closing(Database(tmp_path / "store.db", "store")) as opened:
        statement = statements(port)[name].replace(":values", "?")
        plan = [row[3] for row in opened.rows(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert plan[0].startswith(search)
    assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step]


def test_totals_never_scan_the_records(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "store.db", "store")) as opened:
        plan = [row[3] for row in opened.rows(f"EXPLAIN QUERY PLAN {statements('ledger')['totals']}")]
    assert "SEARCH records" in plan
    assert not [step for step in plan if step.startswith("SCAN records")]


@pytest.mark.parametrize(
    "table", ["records", "counters", "retries", "dead_letters", "alerts", "ledger_position"]
)
def test_a_commit_that_fails_at_any_table_keeps_nothing(tmp_path: Path, table: str) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as store:
        store.ledger.commit(Work(position=1, decided=[decided("a")], unsettled=[retrying("b", 8)]))
        _sabotage(path, table)
        work = Work(
            position=2,
            decided=[decided("b")],
            unsettled=[retrying("c", 9), dying("d")],
            alerts=[alert("x")],
        )
        with pytest.raises((ValueError, sqlite3.IntegrityError)):
            store.ledger.commit(work)
        assert store.ledger.position() == 1
        assert store.ledger.fates(["a", "b", "c", "d"]) == {"a": "decided", "b": "retrying"}
        assert store.ledger.totals()["outcome.approve"] == 1
        assert store.alerts.last() == 0
        _repair(path)
        store.ledger.commit(work)
        assert store.ledger.fates(["b", "c", "d"]) == {"b": "decided", "c": "retrying", "d": "dead_lettered"}


def _sabotage(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for act in ("INSERT", "UPDATE"):
            other.execute(
                f"CREATE TRIGGER stop_{act} BEFORE {act} ON {table} BEGIN SELECT RAISE(FAIL, 'sabotage'); END"
            )


def _repair(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for act in ("INSERT", "UPDATE"):
            other.execute(f"DROP TRIGGER stop_{act}")


def test_a_listing_of_dead_letters_meets_those_that_die_meanwhile(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.ledger.commit(Work(unsettled=[dying("a"), dying("b")]))
        letters = store.dead_letters.all()
        listed = [next(letters), next(letters)]
        store.dead_letters.redrive(["b"], now=1)
        store.ledger.commit(Work(unsettled=[dying("c")]))
        listed += letters
    assert [letter.message.transaction_id for letter in listed] == ["a", "b", "c"]


def test_a_full_disk_in_the_middle_of_a_commit_keeps_nothing(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.ledger.commit(Work(position=1, decided=[decided("a")]))
        store._database.rows("PRAGMA max_page_count = 1")
        with pytest.raises(Retryable, match="full"):
            store.ledger.commit(Work(position=2, decided=[decided(f"txn-{n}") for n in range(1_000)]))
        assert store.ledger.position() == store.ledger.totals()["decided"] == 1


def test_a_writer_never_waits_for_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as reader, closing(SqliteStore(path)) as writer:
        writer.ledger.commit(Work(decided=[decided(f"txn-{n:05}") for n in range(6_000)]))
        chunks = reader.ledger.between(0, 9_999)
        first = next(chunks)
        writer.ledger.commit(Work(decided=[decided("zzz")]))
        assert writer._database.rows("PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]
        assert len(first) + sum(map(len, chunks)) == 6_001


COMMIT_FOREVER = """
import sys
from itertools import count
from shroff.adapters.sqlite import SqliteStore
from shroff.ports import Work
from tests.contracts.samples import alert, decided, retrying
ledger = SqliteStore(sys.argv[1]).ledger
start = ledger.position()
for batch in count(start // 20):
    names = [f"txn-{number}" for number in range(batch * 20, batch * 20 + 20)]
    ledger.commit(
        Work(
            position=batch * 20 + 20,
            decided=[decided(name) for name in names[1:]],
            unsettled=[retrying(names[0], 10)],
            alerts=[alert("the same")],
        )
    )
    print(batch * 20 + 20, flush=True)
"""


def test_a_killed_worker_leaves_whole_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    acknowledged = 0
    for _ in range(2):
        acknowledged = _commit_until_killed(path, after=15)
        with closing(SqliteStore(path)) as store:
            position, totals = store.ledger.position(), store.ledger.totals()
            (_, hits) = store.alerts.after(0, 1)[0]
        assert position >= acknowledged
        assert totals["decided"] + totals["retrying"] == position
        assert totals["outcome.approve"] == totals["decided"]
        assert totals["retrying"] == hits.hits == position // 20


def _commit_until_killed(path: Path, *, after: int) -> int:
    """The position that a worker reported before it was killed in the middle of its work."""
    command = [sys.executable, "-c", COMMIT_FOREVER, str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as committing:
        assert committing.stdout is not None
        positions = [int(committing.stdout.readline()) for _ in range(after)]
        committing.kill()
        positions += [int(line) for line in committing.stdout if line.endswith("\n")]
    return positions[-1]
