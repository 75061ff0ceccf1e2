from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shroff.adapters.files.bookmark import Bookmark
from shroff.adapters.files.chunks import Chunk
from shroff.adapters.files.readers import open_rows
from shroff.adapters.memory import MemoryQueue
from shroff.core.errors import Fault, Rejected, Retryable
from shroff.flows.load import Loaded, load, mapping_of
from shroff.ports import Queue

HEADER = "transaction_id,amount,timestamp\n"


class Small:
    """A file in chunks of a few rows."""

    def __init__(self, path: Path, size: int = 10) -> None:
        self._rows, self._size = open_rows(path, {}), size

    def chunks(self, place: int) -> Iterator[Chunk]:
        return self._rows.chunks(place, self._size)


class Failing(MemoryQueue):
    """A queue whose disk is full after so many appends."""

    def __init__(self, appends: int) -> None:
        super().__init__()
        self.appends = appends

    def append(self, entries):
        if not self.appends:
            raise Retryable("the disk is full")
        self.appends -= 1
        return super().append(entries)


def run(path: Path, queue: Queue, bookmark: Bookmark, wait: Callable[[], Any] = bool) -> Loaded:
    """What became of the rows in the end."""
    steps = load(Small(path), queue, bookmark, currency="USD", clock=lambda: 5, wait_for_room=wait)
    return ([Loaded(), *steps])[-1]


def rejects(bookmark: Bookmark) -> list[Any]:
    return [json.loads(line) for line in bookmark.rejects.read_text().splitlines()]


@pytest.fixture
def good(write):
    return write("a.csv", HEADER + "".join(f"t{n},1.50,1700000000\n" for n in range(95)))


@pytest.fixture
def bad(write):
    rows = [f"t{n},{'-1' if n % 10 == 3 else '1'},1700000000\n" for n in range(95)]
    return write("b.csv", HEADER + "".join(rows))


def test_every_row_is_accepted_once_and_counted(good, tmp_path):
    queue = MemoryQueue()
    loaded = run(good, queue, Bookmark(tmp_path / "imports", good, {}))
    assert (loaded.accepted, loaded.rows, loaded.consumed) == (95, 95, good.stat().st_size)
    assert [message.transaction_id for message in queue.read(0, 100)] == [f"t{n}" for n in range(95)]
    assert {message.received_at for message in queue.read(0, 100)} == {5}


def test_bad_rows_are_kept_with_line_faults_and_row(bad, tmp_path):
    bookmark = Bookmark(tmp_path / "imports", bad, {})
    loaded = run(bad, MemoryQueue(), bookmark)
    assert (loaded.accepted, loaded.rejected) == (85, 10)
    kept = rejects(bookmark)
    assert [each["line"] for each in kept] == list(range(5, 100, 10))
    assert kept[0] == {
        "line": 5,
        "faults": [{"field": "amount", "problem": "Amount must be positive"}],
        "row": {"transaction_id": "t3", "amount": "-1", "timestamp": "1700000000"},
    }


def test_a_run_that_was_stopped_goes_on_where_it_stood(bad, tmp_path):
    queue = Failing(appends=4)
    with pytest.raises(Retryable):
        run(bad, queue, Bookmark(tmp_path / "imports", bad, {}))
    queue.appends = 100
    bookmark = Bookmark(tmp_path / "imports", bad, {})
    loaded = run(bad, queue, bookmark)
    assert (loaded.accepted, loaded.repeated, loaded.rejected) == (49, 0, 6)
    assert queue.last() == 85
    assert [each["line"] for each in rejects(bookmark)] == list(range(5, 100, 10))


def test_a_crash_before_the_bookmark_moved_repeats_without_harm(bad, tmp_path):
    class Crashing(Bookmark):
        def move(self, place, rejects):
            if place > 40:
                self._keep(rejects)
                raise KeyboardInterrupt
            super().move(place, rejects)

    queue = MemoryQueue()
    with pytest.raises(KeyboardInterrupt):
        run(bad, queue, Crashing(tmp_path / "imports", bad, {}))
    bookmark = Bookmark(tmp_path / "imports", bad, {})
    with bookmark.rejects.open("ab") as file:
        file.write(b'{"line": 65, "fau')  # and the power went while it was writing
    loaded = run(bad, queue, bookmark)
    assert (loaded.accepted, loaded.repeated, loaded.rejected) == (40, 9, 6)
    assert queue.last() == 85
    assert [each["line"] for each in rejects(bookmark)] == list(range(5, 100, 10))


def test_a_whole_import_again_is_over_at_once_and_without_bookmark_changes_nothing(bad, tmp_path):
    queue, bookmark = MemoryQueue(), Bookmark(tmp_path / "imports", bad, {})
    run(bad, queue, bookmark)
    assert run(bad, queue, bookmark) == Loaded()
    bookmark.forget()
    loaded = run(bad, queue, Bookmark(tmp_path / "imports", bad, {}))
    assert (loaded.accepted, loaded.repeated, loaded.rejected) == (0, 85, 10)
    assert len(rejects(bookmark)) == 10


def test_the_same_id_with_other_content_is_a_conflict_and_kept_with_the_rejects(write, tmp_path):
    path = write("a.csv", HEADER + "a,1,1700000000\na,1.00,1700000000\na,2,1700000000\n")
    bookmark = Bookmark(tmp_path / "imports", path, {})
    loaded = run(path, MemoryQueue(), bookmark)
    assert (loaded.accepted, loaded.repeated, loaded.conflicts, loaded.rejected) == (1, 1, 1, 0)
    (kept,) = rejects(bookmark)
    assert (kept["line"], kept["row"]["amount"]) == (4, "2")
    assert kept["faults"][0]["problem"] == "transaction_id was accepted before with other content"


def test_every_kind_of_row_can_be_kept_with_the_rejects(write, tmp_path):
    path = write("a.ndjson", '{"transaction_id": "a"}\n{"amount": 1.10}\nnothing\n')
    bookmark = Bookmark(tmp_path / "imports", path, {})
    run(path, MemoryQueue(), bookmark)
    assert [each["row"] for each in rejects(bookmark)] == [
        {"transaction_id": "a"},
        {"amount": 1.1},
        "nothing",
    ]


def test_it_waits_for_room_before_each_chunk(good, tmp_path):
    queue, seen = MemoryQueue(), []
    run(good, queue, Bookmark(tmp_path / "imports", good, {}), wait=lambda: seen.append(queue.last()))
    assert seen == list(range(0, 100, 10))


def test_a_file_that_changed_or_is_mapped_otherwise_is_another_import(good, tmp_path):
    folder = tmp_path / "imports"
    run(good, MemoryQueue(), Bookmark(folder, good, {}))
    assert Bookmark(folder, good, {}).place() == 95
    assert Bookmark(folder, good, {"merchant": "shop"}).place() == 0
    good.write_text(good.read_text() + "u,1,1\n")
    assert Bookmark(folder, good, {}).place() == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"place": "x"}', b'{"place": -1}', b"\xff"])
def test_a_bookmark_that_cannot_be_read_is_the_beginning(good, tmp_path, content):
    bookmark = Bookmark(tmp_path, good, {})
    bookmark.move(7, ())
    (file,) = tmp_path.glob("a.csv-*.json")
    file.write_bytes(content)
    assert bookmark.place() == 0


def test_a_rejects_file_of_something_else_is_not_overwritten(bad, tmp_path):
    bookmark = Bookmark(tmp_path, bad, {})
    bookmark.rejects.write_text("mine\n")
    with pytest.raises(Rejected, match="is not a rejects file; move it away"):
        run(bad, MemoryQueue(), bookmark)
    assert bookmark.rejects.read_text() == "mine\n"


def test_mappings_are_read_from_the_command_line():
    assert mapping_of(["a=B", "c = d=e"]) == {"a": "B", "c": "d=e"}
    with pytest.raises(Rejected) as raised:
        mapping_of(["a=B", "a=C", "amount", "=x"])
    assert raised.value.faults == (
        Fault("map", "a is mapped twice: from B and from C"),
        Fault("map", '"amount" is no mapping: give member=COLUMN'),
        Fault("map", '"=x" is no mapping: give member=COLUMN'),
    )
