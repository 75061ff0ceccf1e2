from __future__ import annotations

from collections.abc import Iterator

import pytest

from shroff.adapters.files.reports import FileReports
from shroff.flows.report import report
from tests.report.world import DAY, EMPTY

DATE = "2018-08-15"


def test_files_are_written_part_by_part_into_the_folder_of_the_day(tmp_path):
    places = FileReports(tmp_path / "reports").write(DATE, {"b.csv": [b"1", b"2"], "a.json": [b"3"]})
    assert places == [str(tmp_path / "reports" / DATE / name) for name in ("b.csv", "a.json")]
    assert (tmp_path / "reports" / DATE / "b.csv").read_bytes() == b"12"


def test_a_file_is_taken_to_its_end_before_the_next_is_begun(tmp_path):
    order = []

    def parts(name: str) -> Iterator[bytes]:
        for number in range(2):
            order.append(f"{name}{number}")
            yield b""

    FileReports(tmp_path).write(DATE, {"z": parts("z"), "a": parts("a")})
    assert order == ["z0", "z1", "a0", "a1"]


def test_totals_are_never_written_before_every_row_was_counted(world):
    class Backwards(FileReports):
        def write(self, date, files):
            return super().write(date, dict(reversed(files.items())))

    world.decided("t-1")
    store = world.store
    with pytest.raises(RuntimeError, match="must be written to its end"):
        report(
            DAY,
            ledger=store.ledger,
            alerts=store.alerts,
            dead_letters=store.dead_letters,
            policies=store.policies,
            audit=EMPTY,
            reports=Backwards(world.folder),
        )


def test_a_report_that_fails_half_way_leaves_the_old_one_and_no_litter(tmp_path):
    reports = FileReports(tmp_path)
    reports.write(DATE, {"a.csv": [b"old"], "b.json": [b"old"]})

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        reports.write(DATE, {"a.csv": [b"new"], "b.json": broken()})
    assert {path.name: path.read_bytes() for path in (tmp_path / DATE).iterdir()} == {
        "a.csv": b"old",
        "b.json": b"old",
    }


@pytest.mark.parametrize(
    ("date", "name"), [("../..", "a.csv"), (DATE, "../a.csv"), (DATE, ".hidden"), ("", "a.csv")]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, date, name):
    with pytest.raises(ValueError, match="not the name of a report"):
        FileReports(tmp_path / "reports").write(date, {name: [b""]})
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_read_again_and_what_was_not_is_none(tmp_path):
    reports = FileReports(tmp_path)
    reports.write(DATE, {"a.json": [b"1", b"2"]})
    assert reports.read(DATE, "a.json") == b"12"
    assert reports.read(DATE, "b.json") is None
    assert reports.read("2018-08-16", "a.json") is None
    with pytest.raises(ValueError, match="not the name of a report"):
        reports.read(DATE, "../a.json")


def test_the_newest_file_is_that_of_the_latest_day_that_has_it(tmp_path):
    reports = FileReports(tmp_path)
    assert reports.newest("a.json") is None
    for day in ("2018-08-16", DATE):
        reports.write(day, {"a.json": [day.encode()]})
    reports.write("2018-08-17", {"b.json": [b"another"]})
    (tmp_path / "9999-not-a-day").mkdir()
    assert reports.newest("a.json") == b"2018-08-16"
    assert reports.newest("a.json") is reports.newest("a.json")
    reports.write("2018-08-16", {"a.json": [b"again"]})
    assert reports.newest("a.json") == b"again"
