"""What every store of sealed windows does."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from shroff.adapters.aws.chunks import S3Chunks
from shroff.adapters.memory.chunks import MemoryChunks
from shroff.core.decision import Decision
from shroff.core.errors import Contended
from shroff.core.reasons import Reason
from shroff.core.transaction import Scalar, Transaction
from shroff.ports import SEALED, Chunks, Record
from tests.adapters.shelves import BUCKET, bucket
from tests.contracts.samples import decision, transaction

START = 1_700_000_100_000


@pytest.fixture(params=["memory", "s3"])
def chunks(request: pytest.FixtureRequest) -> Iterator[Chunks]:
    if request.param == "memory":
        yield MemoryChunks()
        return
    with mock_aws():
        yield S3Chunks(bucket(), BUCKET, most=3)


def records(*numbers: int) -> list[Record]:
    return [
        Record(
            seq=number + 1,
            transaction=transaction(f"t{number:04}", START + number),
            received_at=START + number + 2,
            decision=decision(f"t{number:04}", "review" if number % 2 else "approve"),
        )
        for number in numbers
    ]


def sealed(chunks: Chunks, start: int = START) -> list[Record] | None:
    parts = chunks.read(start)
    return None if parts is None else [record for part in parts for record in part]


def test_a_window_that_was_never_sealed_is_none(chunks: Chunks) -> None:
    assert chunks.read(START) is None
    assert list(chunks.windows(0, START * 2)) == []


def test_an_empty_window_is_sealed_too(chunks: Chunks) -> None:
    assert chunks.write(START, []) == 0
    assert sealed(chunks) == []
    assert list(chunks.windows(START, START + 1)) == [START]


def test_a_sealed_window_has_every_record_in_order(chunks: Chunks) -> None:
    held = records(*range(10))
    assert chunks.write(START, iter([held[:1], [], held[1:7], held[7:]])) == 10
    assert sealed(chunks) == held
    assert chunks.read(START + SEALED) is None


def test_sealing_again_replaces_all(chunks: Chunks) -> None:
    chunks.write(START, [records(*range(10))])
    assert chunks.write(START, [records(2, 3)]) == 2
    assert sealed(chunks) == records(2, 3)
    assert chunks.write(START, [records(*range(8))]) == 8
    assert sealed(chunks) == records(*range(8))


def test_only_windows_that_begin_on_time_are_sealed(chunks: Chunks) -> None:
    with pytest.raises(ValueError, match="no window begins"):
        chunks.write(START + 1, [])


def test_windows_are_listed_half_open_and_in_order(chunks: Chunks) -> None:
    day = 86_400_000
    starts = [START + SEALED, START, START + 3 * SEALED, START + day, START - START % SEALED - 40 * day]
    for start in starts:
        chunks.write(start, [records(1)])
    assert list(chunks.windows(0, 2**62)) == sorted(starts)
    assert list(chunks.windows(START, START + 3 * SEALED)) == [START, START + SEALED]
    assert list(chunks.windows(START + 1, START + 3 * SEALED + 1)) == [START + SEALED, START + 3 * SEALED]


def test_of_two_that_seal_at_once_the_later_one_gives_way(chunks: Chunks) -> None:
    def interrupted() -> Iterator[list[Record]]:
        yield records(1)
        chunks.write(START, [records(1, 2)])

    for _ in range(2):  # the first time nothing is there
        with pytest.raises(Contended, match="by another"):
            chunks.write(START, interrupted())
        assert sealed(chunks) == records(1, 2)
        chunks.write(START, [records(1)])


SCALARS = st.one_of(
    st.text(max_size=5), st.floats(-1e300, 1e300), st.integers(-(10**15), 10**15), st.booleans()
)
TEXT = st.none() | st.text(min_size=1, max_size=5)


def _record(
    number: int, texts: list[str | None], place: float | None, values: dict[str, Scalar], floats: list[float]
) -> Record:
    name = f"{number:03}{texts[0] or ''}"
    shown = {key: float(value) if type(value) is int else value for key, value in values.items()}
    return Record(
        seq=number + 1,
        transaction=Transaction(
            transaction_id=name,
            amount_minor=10**15 + number,
            currency="JPY",
            occurred_at=START + number,
            customer_id=texts[0],
            merchant=texts[1],
            latitude=place,
            attributes=values or None,
        ),
        received_at=START,
        decision=Decision(
            transaction_id=name,
            outcome="decline",
            score=0.1 + number / 3,
            reasons=tuple(
                Reason(rule=f"r{at}", outcome="review", score=1.0, reason="µ", values=shown | {"none": None})
                for at in range(number % 3)
            ),
            snapshot=struct.pack(f"<{len(floats)}d", *floats),
            policy_version="v1",
            decided_at=START + 1,
        ),
    )


@given(
    drafts=st.lists(
        st.tuples(
            st.lists(TEXT, min_size=2, max_size=2),
            st.none() | st.floats(-90, 90),
            st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
            st.lists(st.floats(), max_size=4),
        ),
        max_size=7,
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sealed_comes_back_to_the_byte(chunks: Chunks, drafts: list[Any]) -> None:
    held = [_record(number, *draft) for number, draft in enumerate(drafts)]
    chunks.write(START, [held])
    found = sealed(chunks)
    assert found == held
    assert repr(found) == repr(held), "1 is not 1.0, and -0.0 is not 0.0"
