from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from shroff.core.errors import Rejected
from shroff.core.transaction import parse
from tests.files.conftest import chunks, problem

GOOD = '{"transaction_id": "a", "amount": 0.10, "timestamp": 1700000000.123, "customer_id": 596}'


def test_numbers_are_exact_and_number_ids_are_text(write, rows_of):
    (row,) = rows_of(write("a.ndjson", GOOD))
    assert row["amount"] == Decimal("0.10")
    assert row["customer_id"] == "596"
    assert parse(row).occurred_at == 1_700_000_000_123


def test_a_text_time_is_read(write, rows_of):
    (row,) = rows_of(write("a.jsonl", GOOD.replace("1700000000.123", '"2023-11-14T22:13:20"')))
    assert parse(row).occurred_at == 1_700_000_000_000


def test_a_member_that_comes_late_counts(write, rows_of):
    text = f'{GOOD}\n{GOOD[:-1]}, "merchant": "Shop"}}\n'
    assert [row.get("merchant") for row in rows_of(write("a.ndjson", text))] == [None, "Shop"]


def test_lines_that_are_no_objects_are_bad_rows_as_they_stand(write):
    content = f'{GOOD}\n\n[1]\n{{"amount": NaN}}\n'.encode() + b'{"a": "\xff"}\n' + GOOD.encode()
    (chunk,) = chunks(write("a.ndjson", content))
    assert list(chunk.lines) == [1, 3, 4, 5, 6]
    assert [isinstance(row, Rejected) for row in chunk.rows] == [False, True, True, True, False]
    assert [chunk.raw(index) for index in (1, 2, 3)] == ["[1]", '{"amount": NaN}', '{"a": "\ufffd"}']
    assert json.loads(msgspec.json.encode(chunk.raw(0))) == json.loads(GOOD)


def test_reading_goes_on_at_any_place_of_an_earlier_chunk(write):
    path = write("a.ndjson", "".join(f"{GOOD}\n" + "\n" * (n % 2) for n in range(50)))
    whole = chunks(path, size=8)
    for at, chunk in enumerate(whole):
        rest = chunks(path, size=8, place=chunk.place)
        assert [each.lines for each in rest] == [each.lines for each in whole[at + 1 :]]
    assert sum(len(chunk.rows) for chunk in whole) == 50


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[\n" + GOOD + "\n]", "is a JSON array; give one object a line"),
        ("hello\n", "is not newline-delimited JSON"),
        ("\n", "is not newline-delimited JSON"),
        (GOOD + "\n" + "x" * (1 << 21), "line 2 is longer than 1 MiB"),
    ],
)
def test_a_file_of_something_else_is_told(write, content, says):
    assert says in problem(write("a.ndjson", content))


def test_a_slip_in_a_column_is_told(write):
    told = problem(write("a.ndjson", GOOD), {"merchant": "customerid"})
    assert "there is no column customerid; did you mean customer_id?" in told


def test_a_chunk_of_bad_rows_only_has_as_many_rows(write):
    text = f"{GOOD}\n" + "nothing\n" * 5
    assert [len(chunk.rows) for chunk in chunks(write("a.ndjson", text), size=3)] == [3, 3]
