"""Sealed windows in the bucket: their names, their bytes, and what may go wrong with them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from msgspec.structs import replace

from shroff.adapters.aws.chunks import S3Chunks
from shroff.core.errors import Rejected
from shroff.flows.seal import QUIET, seal
from shroff.ports import SEALED, Ledger, Record, Work
from tests.adapters.aws_cloud import cloud
from tests.adapters.shelves import BUCKET, bucket
from tests.contracts.samples import decided, decision, transaction

START = 1_700_000_100_000


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        yield bucket()


def record(number: int, occurred_at: int) -> Record:
    name = f"t{number:03}"
    return Record(
        seq=number,
        transaction=transaction(name, occurred_at),
        received_at=7,
        decision=decision(name, "review"),
    )


def keys(s3: Any) -> list[str]:
    return sorted(each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()))


def test_parts_are_lines_that_any_tool_reads(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET, most=2)
    records = [record(number, 600_000 + number) for number in range(5)]
    assert chunks.write(600_000, [records[:3], records[3:]]) == 5
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key="chunks/v1/1970-01-01/0010.json")["Body"].read())
    assert (manifest["start"], manifest["records"], len(manifest["parts"])) == (600_000, 5, 3)
    body = s3.get_object(Bucket=BUCKET, Key=manifest["parts"][2])["Body"].read()
    (line,) = map(json.loads, gzip.decompress(body).splitlines())
    assert (line["seq"], line["transaction"]["amount_minor"], line["decision"]["outcome"]) == (
        4,
        9_999,
        "review",
    )


def test_sealing_the_same_again_writes_the_same_bytes(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET, most=2)
    records = [record(number, 600_000 + number) for number in range(5)]
    seen = []
    for parts in ([records], [records[:1], records[1:]]):
        chunks.write(600_000, parts)
        seen.append(keys(s3))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 4


def test_parts_of_a_larger_sealing_are_gone(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET, most=1)
    records = [record(number, 600_000 + number) for number in range(5)]
    chunks.write(600_000, [records])
    chunks.write(600_000, [records[:2]])
    assert len(keys(s3)) == 3
    sealed = chunks.read(600_000)
    assert sealed is not None
    assert [each for part in sealed for each in part] == records[:2]


def test_a_reader_whose_parts_are_replaced_reads_on_where_it_is(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET, most=2)
    records = [record(number, 600_000 + number) for number in range(6)]
    chunks.write(600_000, [records[:2] + records[3:]])
    reading = chunks.read(600_000)
    assert reading is not None
    first = next(reading)
    chunks.write(600_000, [records])
    assert [*first, *(each for part in reading for each in part)] == [*records[:2], *records[2:]]


def test_a_chunk_that_lost_a_part_says_so(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET)
    chunks.write(600_000, [[record(1, 600_000)]])
    s3.delete_object(Bucket=BUCKET, Key=keys(s3)[0])
    reading = chunks.read(600_000)
    assert reading is not None
    with pytest.raises(Rejected, match="a part is missing"):
        next(reading)


def test_a_window_whose_parts_cannot_be_read_at_once_is_as_if_never_sealed(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET)
    for window in (600_000, 900_000):
        chunks.write(window, [[record(1, window)]])
    cold = next(name for name in keys(s3) if "/0010-" in name)
    s3.copy_object(Bucket=BUCKET, Key=cold, CopySource=f"{BUCKET}/{cold}", StorageClass="DEEP_ARCHIVE")
    assert list(chunks.windows(0, 2**62)) == [900_000]
    reading = chunks.read(600_000)
    assert reading is not None
    with pytest.raises(Rejected, match="restore it first"):
        next(reading)


def test_a_part_that_is_damaged_says_so(s3: Any) -> None:
    chunks = S3Chunks(s3, BUCKET)
    chunks.write(600_000, [[record(number, 600_000 + number) for number in range(50)]])
    (part, _) = keys(s3)
    body = s3.get_object(Bucket=BUCKET, Key=part)["Body"].read()
    for damaged in (body[:-9], body[:40] + b"\0" * 40 + body[80:], b"{}"):
        s3.put_object(Bucket=BUCKET, Key=part, Body=damaged)
        with pytest.raises(Rejected, match="not a sealed window"):
            list(chunks.read(600_000) or ())


def test_a_late_commit_marks_its_window_until_it_is_sealed_again() -> None:
    with cloud() as environment:
        store = environment()
        late = START + 2 * SEALED
        for number, name in enumerate("abc"):
            message, transaction_, judged = decided(name, START + 5)
            judged = replace(judged, decided_at=late + number)
            store.ledger.commit(Work(decided=[(message, transaction_, judged)]))
            assert store.marks.all() == [(START, late + number)]
            assert names_of(store.archive) == names_of(store.ledger) == list("abc"[: number + 1])
            held = seal(START, store.ledger, store.chunks, store.marks, now=late + number + QUIET + 1)
            assert (held, store.marks.all()) == (number + 1, [])
            assert names_of(store.archive) == list("abc"[: number + 1])


def names_of(ledger: Ledger) -> list[str]:
    found = (record for part in ledger.between(START, START + SEALED) for record in part)
    return [record.transaction.transaction_id for record in found]
