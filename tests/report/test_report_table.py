from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shroff.flows.report import CSV
from shroff.flows.report.rows import COLUMNS, safe
from tests.report.world import DAY, MIDNIGHT, at, reason


def test_the_columns_of_the_contract_come_first_in_its_order(world):
    world.decided("t-1")
    world.report()
    header = world.bytes_of(CSV).decode().split("\n")[0]
    assert header.startswith("transaction_id,timestamp,amount,customer_id,merchant,outcome,score,reasons,")


def test_a_row_says_what_was_posted_and_what_was_decided(world):
    hits = (reason("large", text="a large amount"), reason("odd_hour", text="at an odd hour"))
    world.decided("t-1", 123_456, at("2018-08-15T03:00:00.250"), "review", hits, currency="USD", country="CH")
    world.report()
    (row,) = world.rows()
    assert row == {
        "transaction_id": "t-1",
        "timestamp": "1534302000.25",
        "amount": "1234.56",
        "customer_id": "cust-1",
        "merchant": "Shop",
        "outcome": "review",
        "score": "0.5",
        "reasons": "a large amount; at an odd hour",
        "currency": "USD",
        "occurred_at": "2018-08-15T03:00:00.250Z",
        "rules": "large; odd_hour",
        "card_id": "",
        "country": "CH",
        "policy_version": row["policy_version"],
    }


def test_whole_seconds_are_written_without_decimals_and_yen_without_cents(world):
    world.decided("t-1", 500, MIDNIGHT, currency="JPY")
    world.report()
    (row,) = world.rows()
    assert (row["timestamp"], row["amount"]) == ("1534291200", "500")


def test_rows_come_by_time_and_then_by_id_whatever_the_order_of_arrival(world):
    for transaction_id, hour in (("c", 2), ("b", 1), ("a", 2), ("d", 0)):
        world.decided(transaction_id, at=MIDNIGHT + hour)
    world.report()
    assert [row["transaction_id"] for row in world.rows()] == ["d", "b", "a", "c"]


def test_a_day_without_transactions_has_the_header_only(world):
    world.decided("the day before", at=MIDNIGHT - 1)
    world.decided("the day after", at=MIDNIGHT + 86_400_000)
    world.report()
    assert world.bytes_of(CSV).decode() == ",".join(COLUMNS) + "\n"


def test_hostile_values_stay_one_line_and_one_cell_each(world):
    nasty = '=HYPERLINK("http://evil","x")\r\n,"; drop\u2028\x85\x00 end'
    world.decided("-1+1", merchant=nasty, customer_id="@SUM(A1)", card_id="\ttab", country="+33")
    world.report()
    assert len(world.bytes_of(CSV).decode().splitlines()) == 2
    (row,) = world.rows()
    assert row["merchant"] == '\'=HYPERLINK("http://evil","x")  ,"; drop    end'
    assert (row["transaction_id"], row["customer_id"]) == ("'-1+1", "'@SUM(A1)")
    assert (row["card_id"], row["country"]) == ("' tab", "'+33")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1",
            "+1",
            "-1",
            "@A1",
            "\t1",
            "\r1",
            "\n1",
            " =1",
            "\N{NO-BREAK SPACE}-1",
            "\ufeff=1",
            "\u200b@x",
        ),
        *(
            f"{sign}1"
            for sign in "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}"
        ),
        *("\N{FULLWIDTH HYPHEN-MINUS}1", "\N{SMALL EQUALS SIGN}1", "\u202e=1", "\x00=1"),
    ],
)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text):
    assert safe(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["Coffee & Co", "a=b", "x-1", "12345", "\N{GREEK SMALL LETTER ALPHA}", "  a"]
)
def test_an_ordinary_text_is_left_as_it_is(text):
    assert safe(text) == text


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
@example(["\u2029=cmd", "a\r"])
def test_any_texts_make_one_line_that_reads_back_as_so_many_harmless_cells(texts):
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([safe(text) for text in texts])
    assert len(line.getvalue().splitlines()) == 1
    cells = next(csv.reader(io.StringIO(line.getvalue(), newline="")))
    assert len(cells) == len(texts)
    for cell in cells:
        seen = "".join(c for c in cell if unicodedata.category(c) not in {"Zs", "Cc", "Cf"})
        assert unicodedata.normalize("NFKC", seen[:1]) not in set("=+-@")


def test_numbers_that_we_write_stay_numbers(world):
    world.decided("t-1", 1)
    world.report()
    (row,) = world.rows(DAY)
    assert [float(row[name]) for name in ("timestamp", "amount", "score")] == [1_534_294_800, 0.01, 0]
