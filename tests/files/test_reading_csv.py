from __future__ import annotations

import gzip
from decimal import Decimal

import pytest

from shroff.core.errors import Rejected
from shroff.core.transaction import parse
from tests.files.conftest import chunks, ids_of, problem

HEADER = "transaction_id,amount,timestamp,customer_id\n"


def test_amounts_keep_their_digits_and_ids_their_zeros(write, rows_of):
    (row,) = rows_of(write("a.csv", HEADER + "0007,0.10,1700000000,007\n"))
    assert row == {
        "transaction_id": "0007", "amount": "0.10", "timestamp": Decimal(1700000000), "customer_id": "007",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "occurred_at"),
    [
        ("1700000000", 1_700_000_000_000),
        ("1700000000.123", 1_700_000_000_123),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14 22:13:20.123", 1_700_000_000_123),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000_000),
        ("2023-11-14", 1_699_920_000_000),
    ],
)
def test_times_are_seconds_or_iso_and_utc_without_a_zone(write, rows_of, text, occurred_at):
    (row,) = rows_of(write("a.csv", HEADER + f"t,1,{text},\n"))
    assert parse(row).occurred_at == occurred_at


@pytest.mark.parametrize("text", ["yesterday", "1700000000000", "2023-13-45", "NaN", "inf", "1_0"])
def test_a_time_that_is_none_is_a_fault_of_its_row(write, rows_of, text):
    (row,) = rows_of(write("a.csv", HEADER + f"t,1,{text},\n"))
    with pytest.raises(Rejected) as raised:
        parse(row)
    assert [fault.field for fault in raised.value.faults] == ["timestamp"]


def test_empty_values_are_missing_values(write, rows_of):
    (row,) = rows_of(write("a.csv", HEADER + ",,,\n"))
    with pytest.raises(Rejected) as raised:
        parse(row)
    assert [fault.problem for fault in raised.value.faults] == [
        f"Missing required field: {name}" for name in ("transaction_id", "amount", "timestamp")
    ]


def test_coordinates_are_numbers(write, rows_of):
    text = "transaction_id,amount,timestamp,latitude,longitude\nt,1,1,-33.86,\n"
    transaction = parse(rows_of(write("a.csv", text))[0])
    assert (transaction.latitude, transaction.longitude) == (-33.86, None)


def test_columns_nobody_asked_for_are_left_out_and_mapped_ones_are_attributes(write, rows_of):
    text = HEADER.strip() + ",TIER,fraud\nt,1,1,c,gold,true\n"
    (row,) = rows_of(write("a.csv", text), {"attributes.tier": "TIER"})
    assert parse(row).attributes == {"tier": "gold"}


def test_a_mapping_wins_over_a_column_of_the_members_name(write, rows_of):
    text = "transaction_id,amount,timestamp,net\nt,1,1,0.90\n"
    (row,) = rows_of(write("a.csv", text), {"amount": "net"})
    assert row["amount"] == "0.90"


def test_rows_with_line_breaks_in_quotes_are_named_by_the_line_where_they_begin(write):
    text = HEADER + 'a,1,1,"one\ntwo"\n\nb,1,1,c\n"c\r\n",1,1,d\nd,1,1,e\n'
    (chunk,) = chunks(write("a.csv", text))
    assert list(chunk.lines) == [2, 5, 6, 8]


def test_one_bad_row_is_one_bad_row(write):
    content = HEADER.encode() + b"a,1,1,c\nb,1\nc,1,1,\xff\xfe\nd,1,1,c\n"
    (chunk,) = chunks(write("a.csv", content))
    kinds = [isinstance(row, Rejected) for row in chunk.rows]
    assert kinds == [False, True, True, False]
    assert str(chunk.rows[1]) == "the row has 2 values, the header has 4"
    assert str(chunk.rows[2]) == "customer_id is not UTF-8"
    assert chunk.raw(1) == ["b", "1"]
    assert chunk.raw(2)["customer_id"] == "\ufffd\ufffd"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_seen_in_the_header(write, rows_of, delimiter):
    text = (HEADER + "a,1,1,c\n").replace(",", delimiter)
    assert rows_of(write("a.csv", text))[0]["customer_id"] == "c"


def test_a_mark_of_byte_order_is_no_part_of_the_first_name(write, rows_of):
    assert rows_of(write("a.csv", "\ufeff" + HEADER + "a,1,1,c\n"))[0]["transaction_id"] == "a"


def test_a_packed_file_is_read_and_a_cut_one_is_told(write, rows_of):
    packed = gzip.compress((HEADER + "".join(f"{n:x},1,{n * n},c\n" for n in range(50_000))).encode())
    assert len(rows_of(write("a.csv.gz", packed))) == 50_000
    assert "cannot be unpacked to its end" in problem(write("b.csv.gz", packed[:-5_000]))


def test_reading_goes_on_at_any_place_of_an_earlier_chunk(write):
    path = write("a.csv", HEADER + "".join(f"t{n},1,1,c\n" + "\n" * (n % 3 == 0) for n in range(100)))
    whole = chunks(path, size=7)
    assert ids_of(whole) == [f"t{n}" for n in range(100)]
    for at, chunk in enumerate(whole):
        rest = chunks(path, size=7, place=chunk.place)
        assert [list(each.lines) for each in rest] == [list(each.lines) for each in whole[at + 1 :]]
    assert whole[-1].consumed == path.stat().st_size


def test_a_header_without_rows_has_none(write, rows_of):
    assert rows_of(write("a.csv", HEADER)) == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "\n\n", "is empty: a header with the names of the columns comes first"),
        ("a.csv", b"\x00\x01\xff\xfe", "is not a CSV file in UTF-8"),
        ("a.csv", HEADER + f'a,1,1,"{"x" * 200_000}"\n', "line 2 is not CSV: field larger than field limit"),
        ("a.csv", "amount,amount\n1,1\n", "column amount is there twice"),
        ("a.txt", "x", "the name must end in one of .csv, .tsv, .ndjson, .jsonl, .parquet"),
        ("a.parquet.gz", "x", "the name must end in one of"),
        ("a.csv.gz", "no gzip", "is damaged or cut off"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(write, name, content, says):
    told = problem(write(name, content))
    assert says in told
    assert "\n" not in told


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    assert problem(tmp_path / "a.csv").endswith("a.csv: no such file")
    (tmp_path / "b.csv").mkdir()
    assert problem(tmp_path / "b.csv").endswith("b.csv: is a folder, not a file")


def test_a_slip_in_a_column_is_answered_with_the_nearest(write):
    told = problem(write("a.csv", "TX_ID,TX_AMOUNT\n"), {"transaction_id": "TX_ID", "amount": "AMOUNT"})
    assert "there is no column AMOUNT; did you mean TX_AMOUNT? its columns are TX_ID, TX_AMOUNT" in told


def test_required_members_without_a_column_are_told_before_anything_is_read(write):
    told = problem(write("a.csv", "TX_ID,amount\n1,1\n"))
    assert "say --map transaction_id=COLUMN --map timestamp=COLUMN; its columns are TX_ID, amount" in told


def test_a_member_has_one_column(write):
    path = write("a.csv", HEADER)
    mapping = {"tier": "amount", "attributes.tier": "customer_id", "attributes.amount": "amount"}
    told = problem(path, mapping)
    assert "tier is mapped twice, from amount and from customer_id" in told
    assert "amount cannot be an attribute" in told
