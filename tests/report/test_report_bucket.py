"""Reports and drafts in S3: whole or not at all, in parts of any number."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend

from shroff.adapters.aws import uploads
from shroff.adapters.aws.drafts import S3Drafts
from shroff.adapters.aws.reports import S3Reports
from shroff.adapters.memory.drafts import MemoryDrafts
from shroff.core.errors import Retryable

DATE, BUCKET = "2018-08-15", "shroff-reports"
ROWS = [bytes([65 + number]) * 10 for number in range(10)]
PART = 25


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setattr(uploads, "PART", PART)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(S3Backend, "upload_part", _upload_part)
    with mock_aws():
        keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
        client = boto3.client("s3", region_name="us-east-1", **keys)
        client.create_bucket(Bucket=BUCKET)
        yield client


_sent = S3Backend.upload_part


def _upload_part(self, bucket, upload, *rest):
    """As AWS does: moto breaks where an upload is over."""
    if upload not in self.get_bucket(bucket).multiparts:
        raise NoSuchUpload(upload_id=upload)
    return _sent(self, bucket, upload, *rest)


def content(s3, key: str) -> bytes:
    found: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found


def keys(s3) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def unfinished(s3) -> int:
    return len(s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


# Reports


def test_files_of_any_number_of_parts_are_put_in_the_folder_of_the_day(s3):
    places = S3Reports(s3, BUCKET).write(DATE, {"b.csv": ROWS, "a.json": [b"{}"], "c.html": []})
    assert places == [f"s3://{BUCKET}/reports/{DATE}/{name}" for name in ("b.csv", "a.json", "c.html")]
    assert content(s3, f"reports/{DATE}/b.csv") == b"".join(ROWS)
    assert content(s3, f"reports/{DATE}/a.json") == b"{}"
    assert content(s3, f"reports/{DATE}/c.html") == b""
    assert unfinished(s3) == 0


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]])
def test_a_browser_is_told_what_each_file_is(s3, rows):
    S3Reports(s3, BUCKET).write(DATE, dict.fromkeys(("b.csv", "a.json", "c.html"), rows))
    types = [
        s3.head_object(Bucket=BUCKET, Key=f"reports/{DATE}/{name}")["ContentType"]
        for name in ("b.csv", "a.json", "c.html")
    ]
    assert types == [f"{each}; charset=utf-8" for each in ("text/csv", "application/json", "text/html")]


def test_a_report_that_fails_half_way_leaves_the_old_one(s3):
    reports = S3Reports(s3, BUCKET)
    reports.write(DATE, {"a.csv": [b"old"], "b.json": [b"old"]})

    def broken() -> Iterator[bytes]:
        yield from ROWS
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        reports.write(DATE, {"a.csv": ROWS, "b.json": broken()})
    assert content(s3, f"reports/{DATE}/a.csv") == content(s3, f"reports/{DATE}/b.json") == b"old"


def test_what_was_written_is_read_again_and_what_was_not_is_none(s3):
    reports = S3Reports(s3, BUCKET)
    reports.write(DATE, {"a.json": [b"1", b"2"]})
    assert reports.read(DATE, "a.json") == b"12"
    assert reports.read(DATE, "b.json") is None


@pytest.mark.parametrize(
    ("date", "name"), [("../..", "a.csv"), (DATE, "../a.csv"), (DATE, ".hidden"), ("", "a.csv")]
)
def test_names_that_lead_elsewhere_are_refused(s3, date, name):
    with pytest.raises(ValueError, match="not the name of a report"):
        S3Reports(s3, BUCKET).write(date, {name: [b""]})
    assert keys(s3) == []


# Drafts


@pytest.fixture(params=["memory", "aws"])
def drafts(request):
    return MemoryDrafts() if request.param == "memory" else S3Drafts(request.getfixturevalue("s3"), BUCKET)


def table(drafts) -> bytes:
    if isinstance(drafts, MemoryDrafts):
        return drafts.tables[DATE, "t.csv"]
    return content(drafts._s3, f"reports/{DATE}/t.csv")


@pytest.mark.parametrize("run", [1, 2, 3, 10])
def test_a_table_grows_from_run_to_run(drafts, run):
    for first in range(0, 10, run):
        draft = drafts.open(DATE, "t.csv")
        assert draft.progress == (None if first == 0 else f"{first}".encode())
        for row in ROWS[first : first + run]:
            draft.write(row)
        draft.save(f"{first + run}".encode())
    assert drafts.tally(DATE) is None
    place = drafts.open(DATE, "t.csv").finish(b"{}")
    assert place.endswith(f"{DATE}/t.csv")
    assert table(drafts) == b"".join(ROWS)
    assert drafts.tally(DATE) == b"{}"
    assert drafts.tally("2018-08-14") is None
    assert drafts.open(DATE, "t.csv").progress is None


@pytest.mark.parametrize("saved", [0, 1, 4, 9])
def test_what_was_not_saved_is_forgotten(drafts, saved):
    draft = drafts.open(DATE, "t.csv")
    for number, row in enumerate(ROWS):
        if number == saved:
            draft.save(b"half")
        draft.write(row)
    draft = drafts.open(DATE, "t.csv")
    assert draft.progress == b"half"
    for row in ROWS[saved:]:
        draft.write(row)
    draft.finish(b"")
    assert table(drafts) == b"".join(ROWS)


def test_a_draft_that_was_never_saved_begins_anew(drafts):
    drafts.open(DATE, "t.csv").write(b"x" * 99)
    draft = drafts.open(DATE, "t.csv")
    assert draft.progress is None
    draft.write(b"y")
    draft.finish(b"")
    assert table(drafts) == b"y"


def test_days_do_not_meet(drafts):
    drafts.open(DATE, "t.csv").save(b"one")
    assert drafts.open("2018-08-16", "t.csv").progress is None


def test_nothing_but_the_table_and_the_tally_is_left(s3):
    draft = S3Drafts(s3, BUCKET).open(DATE, "t.csv")
    draft.write(b"".join(ROWS))
    draft.save(b"")
    draft.finish(b"")
    assert keys(s3) == [f"reports/{DATE}/.parts/tally", f"reports/{DATE}/t.csv"]
    assert unfinished(s3) == 0


@pytest.mark.parametrize("act", ["write", "finish"])
def test_of_two_runs_at_once_the_later_begins_anew(s3, act):
    drafts = S3Drafts(s3, BUCKET)
    first = drafts.open(DATE, "t.csv")
    first.write(b"".join(ROWS))
    first.save(b"half")
    second = drafts.open(DATE, "t.csv")
    first.finish(b"")
    with pytest.raises(Retryable, match="made anew"):
        second.write(b"z" * 99) if act == "write" else second.finish(b"")
    assert drafts.open(DATE, "t.csv").progress is None
    assert content(s3, f"reports/{DATE}/t.csv") == b"".join(ROWS)


def test_an_upload_that_was_given_up_does_not_hold_up_the_report(s3):
    drafts = S3Drafts(s3, BUCKET)
    draft = drafts.open(DATE, "t.csv")
    draft.write(b"".join(ROWS))
    draft.save(b"half")
    s3.abort_multipart_upload(**draft._upload._place())  # as the bucket does with uploads that are days old
    late = drafts.open(DATE, "t.csv")
    assert late.progress == b"half"
    with pytest.raises(Retryable):
        late.write(b"z" * 99)
    assert drafts.open(DATE, "t.csv").progress is None
