"""Snapshots: the newest one comes back as it was saved, under its own key only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from shroff.adapters.files.snapshots import FileSnapshots, SnapshotsBehind
from shroff.adapters.memory import MemorySnapshots
from shroff.ports import Snapshots

Arrays = dict[str, np.ndarray]


@pytest.fixture(params=["memory", "files", "behind", "too large for two"])
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshots:
    makers: dict[str, Callable[[], Snapshots]] = {
        "memory": MemorySnapshots,
        "files": lambda: FileSnapshots(tmp_path / "state.snapshot"),
        "behind": lambda: SnapshotsBehind(FileSnapshots(tmp_path / "state.snapshot")),
        "too large for two": lambda: SnapshotsBehind(FileSnapshots(tmp_path / "state.snapshot"), 0),
    }
    return makers[request.param]()


def arrays() -> Arrays:
    return {
        "customer/times": np.arange(6, dtype=np.int64).reshape(3, 2),
        "customer/values": np.array([[1.5, np.nan], [np.inf, -0.0]]),
        "customer/keys": np.frombuffer(b'["ann"]', np.uint8),
        "empty": np.empty((0, 4), np.int32),
    }


def test_a_snapshot_comes_back_to_the_bit_with_its_place(snapshots: Snapshots) -> None:
    snapshots.save("key", 7, arrays())
    loaded = snapshots.load("key")
    assert loaded is not None
    assert loaded[0] == 7
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in loaded[1].items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays().items()
    }


def test_there_is_none_before_the_first_and_none_under_another_key(snapshots: Snapshots) -> None:
    assert snapshots.load("key") is None
    snapshots.save("key", 7, arrays())
    assert snapshots.load("other") is None


def test_a_newer_snapshot_takes_the_place_of_the_older(snapshots: Snapshots) -> None:
    snapshots.save("key", 7, arrays())
    snapshots.save("key", 9, {"only": np.ones(1)})
    loaded = snapshots.load("key")
    assert loaded is not None
    assert (loaded[0], list(loaded[1])) == (9, ["only"])


def test_what_is_changed_after_saving_or_loading_changes_no_snapshot(snapshots: Snapshots) -> None:
    saved = {"a": np.zeros(3)}
    snapshots.save("key", 1, saved)
    saved["a"][:] = 1
    loaded = snapshots.load("key")
    assert loaded is not None
    loaded[1]["a"][:] = 2
    again = snapshots.load("key")
    assert again is not None
    assert again[1]["a"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("damage", ["cut", "flip", "text"])
def test_a_damaged_file_counts_as_no_snapshot(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.snapshot"
    FileSnapshots(path).save("key", 7, {"a": np.arange(10_000)})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(b"not a snapshot")
    path.write_bytes(content)
    assert FileSnapshots(path).load("key") is None


class Held(FileSnapshots):
    """Does not begin to write before it may."""

    may = Event()

    def save(self, key: str, seq: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        assert self.may.wait(20)
        super().save(key, seq, arrays)


def test_who_saves_goes_on_while_it_is_written_and_changes_nothing_of_it(tmp_path: Path) -> None:
    held = Held(tmp_path / "state.snapshot")
    snapshots, state = SnapshotsBehind(held), {"a": np.zeros(3)}
    snapshots.save("key", 1, state)
    state["a"][:] = 1
    held.may.set()
    loaded = snapshots.load("key")
    assert loaded is not None
    assert (loaded[0], loaded[1]["a"].tolist()) == (1, [0, 0, 0])


def test_what_cannot_be_written_behind_is_said_and_the_one_before_stays(tmp_path: Path) -> None:
    disk, gone = tmp_path / "disk", tmp_path / "gone"
    disk.mkdir()
    snapshots = SnapshotsBehind(FileSnapshots(disk / "state.snapshot"))
    snapshots.save("key", 1, {"a": np.zeros(3)})
    snapshots.wait()
    disk.rename(gone)
    with capture_logs() as said:
        snapshots.save("key", 2, {"a": np.ones(3)})
        snapshots.wait()
    assert [each["event"] for each in said] == ["snapshot_not_kept"]
    gone.rename(disk)
    loaded = snapshots.load("key")
    assert loaded is not None
    assert loaded[0] == 1
