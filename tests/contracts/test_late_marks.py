"""What every store of late marks does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from moto import mock_aws

from shroff.adapters.aws.marks import AwsLateMarks
from shroff.adapters.memory.marks import MemoryLateMarks
from shroff.ports import LateMarks
from tests.adapters.shelves import TABLE, state_table


class Marks(LateMarks, Protocol):
    def mark(self, start: int, now: int) -> None: ...


@pytest.fixture(params=["memory", "aws"])
def marks(request: pytest.FixtureRequest) -> Iterator[Marks]:
    if request.param == "memory":
        yield MemoryLateMarks()
        return
    with mock_aws():
        yield AwsLateMarks(state_table(), TABLE)


def test_without_late_arrivals_there_is_no_mark(marks: Marks) -> None:
    assert marks.all() == []
    marks.clear(300_000, 1)


def test_a_mark_is_the_moment_of_the_newest_arrival(marks: Marks) -> None:
    marks.mark(1_700_000_100_000, 50)
    marks.mark(300_000, 60)
    marks.mark(300_000, 70)
    assert marks.all() == [(300_000, 70), (1_700_000_100_000, 50)]


def test_every_mark_makes_the_number_grow(marks: Marks) -> None:
    numbers = []
    for now in (60, 60, 40, 100, 100):  # twice in a millisecond, and by a clock that is behind
        marks.mark(300_000, now)
        numbers += [number for _, number in marks.all()]
    assert numbers == [60, 61, 62, 100, 101]


def test_a_mark_that_has_grown_is_not_forgotten(marks: Marks) -> None:
    marks.mark(300_000, 60)
    ((_, seen),) = marks.all()
    marks.mark(300_000, 60)
    marks.clear(300_000, seen)
    ((_, grown),) = marks.all()
    assert grown > seen
    marks.clear(300_000, grown)
    assert marks.all() == []


def test_a_mark_after_one_that_was_forgotten_is_another(marks: Marks) -> None:
    marks.mark(300_000, 60)
    marks.clear(300_000, 60)
    marks.mark(300_000, 61)
    marks.clear(300_000, 60)
    assert marks.all() == [(300_000, 61)]


def test_many_windows_are_all_found(marks: Marks) -> None:
    starts = [number * 300_000 for number in range(500)]
    for start in reversed(starts):
        marks.mark(start, 9)
    assert marks.all() == [(start, 9) for start in starts]


def test_of_many_windows_those_of_a_span_are_found(marks: Marks) -> None:
    starts = [number * 300_000 for number in range(9)]
    for start in starts:
        marks.mark(start, 9)
    assert marks.all(600_000, 1_200_000) == [(600_000, 9), (900_000, 9)]
    assert marks.all(600_001, 600_002) == marks.all(600_000, 600_000) == marks.all(9, 3) == []
    assert marks.all(2_100_000, 253_402_300_800_000) == [(2_100_000, 9), (2_400_000, 9)]
    assert len(marks.all(end=2**62)) == 9
