"""Reading a transaction: the contract on the wire, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.codec import decode_transaction, encode_transaction
from shroff.core.errors import Rejected
from shroff.core.money import DECIMALS, to_text
from shroff.core.transaction import KNOWN, MOST_ATTRIBUTES, REQUIRED, TEXTS, Transaction, parse

EXAMPLE = {
    "transaction_id": "txn-12345",
    "amount": Decimal("99.99"),
    "timestamp": 1700000000,
    "customer_id": "cust-001",
    "merchant": "Test Merchant",
}


def faults(**changes: Any) -> list[tuple[str, str]]:
    """What is wrong with the example after some changes; `...` leaves a member out."""
    members = {name: value for name, value in {**EXAMPLE, **changes}.items() if value is not ...}
    with pytest.raises(Rejected) as caught:
        parse(members)
    return [(fault.field, fault.problem) for fault in caught.value.faults]


def read(**changes: Any) -> Transaction:
    return parse({**EXAMPLE, **changes})


def test_the_example_of_the_contract_is_read_exactly() -> None:
    assert parse(EXAMPLE) == Transaction(
        transaction_id="txn-12345",
        amount_minor=9999,
        currency="USD",
        occurred_at=1_700_000_000_000,
        customer_id="cust-001",
        merchant="Test Merchant",
    )


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize("absent", [..., None])
def test_a_missing_required_field_is_named_in_the_contract_s_sentence(field: str, absent: object) -> None:
    assert faults(**{field: absent}) == [(field, f"Missing required field: {field}")]


def test_all_faults_come_at_once_and_the_required_fields_first() -> None:
    found = faults(ip=5, currency="usd", transaction_id=..., amount=-1, timestamp="now", nested=[])
    assert [field for field, _ in found[:3]] == ["transaction_id", "amount", "timestamp"]
    assert {field for field, _ in found[3:]} == {"ip", "currency", "nested"}
    assert found[1] == ("amount", "Amount must be positive")


@pytest.mark.parametrize("amount", [0, -5, Decimal("-0.01"), "0.00", "-3", -1.5])
def test_an_amount_that_is_not_positive_is_refused_in_the_contract_s_sentence(amount: object) -> None:
    assert faults(amount=amount) == [("amount", "Amount must be positive")]


NO_NUMBERS = [True, False, "", " 5", "5 ", "1_000", "٣", "abc", "NaN", "Infinity", [], {}, float("nan"),
              float("inf"), Decimal("NaN"), Decimal("-Infinity"), "9" * 65]  # fmt: skip


@pytest.mark.parametrize("amount", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_no_amount(amount: object) -> None:
    assert faults(amount=amount) == [("amount", "Amount must be a number or a decimal string")]


@given(st.sampled_from(["USD", "JPY", "KWD"]), st.integers(1, 10**15))
def test_an_amount_never_goes_through_a_binary_float(currency: str, minor: int) -> None:
    text = to_text(minor, currency)
    for amount in (text, Decimal(text)):
        assert read(amount=amount, currency=currency).amount_minor == minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1.1", "USD", 110), (0.1, "USD", 10), (19.99, "USD", 1999), (5, "JPY", 5), ("5e2", "JPY", 500),
     ("0.001", "KWD", 1), ("+7", "USD", 700)],
)  # fmt: skip
def test_amounts_are_counted_in_the_minor_unit_of_their_currency(
    amount: object, currency: str, minor: int
) -> None:
    assert read(amount=amount, currency=currency).amount_minor == minor


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.5", "JPY"), ("1.001", "USD"), (Decimal("0.0001"), "KWD")]
)
def test_more_decimals_than_the_currency_has_are_refused(amount: object, currency: str) -> None:
    [(field, problem)] = faults(amount=amount, currency=currency)
    assert field == "amount"
    assert problem == f"Amount has more decimals than {currency} has ({DECIMALS[currency]})"


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "DOLLAR", 5, True, [], {}], ids=repr)
def test_an_unknown_currency_is_one_fault_whatever_the_decimals(currency: object) -> None:
    assert [field for field, _ in faults(currency=currency, amount="1.2345")] == ["currency"]


def test_the_currency_of_the_settings_stands_in() -> None:
    assert parse({**EXAMPLE, "amount": "1.234"}, currency="KWD").currency == "KWD"


@pytest.mark.parametrize("milliseconds", [1_700_000_000_000, 10**11, Decimal("1700000000123.5")])
def test_a_timestamp_in_milliseconds_is_refused_with_a_hint(milliseconds: object) -> None:
    expected = "timestamp looks like milliseconds; give seconds since 1970"
    assert faults(timestamp=milliseconds) == [("timestamp", expected)]


@pytest.mark.parametrize(
    "timestamp", [True, "1700000000", [], {}, float("nan"), Decimal("Infinity")], ids=repr
)
def test_what_is_no_number_is_no_timestamp(timestamp: object) -> None:
    assert faults(timestamp=timestamp) == [("timestamp", "timestamp must be a number of seconds since 1970")]


def test_a_timestamp_before_1970_is_refused() -> None:
    assert faults(timestamp=-1) == [("timestamp", "timestamp must not be before 1970")]


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [
        (0, 0),
        (1.5, 1500),
        (Decimal("1700000000.123"), 1_700_000_000_123),
        (99_999_999_999, 99_999_999_999_000),
        (Decimal("1.9999"), 1999),
    ],
)
def test_a_timestamp_keeps_its_milliseconds(timestamp: object, milliseconds: int) -> None:
    assert read(timestamp=timestamp).occurred_at == milliseconds


def test_an_id_has_at_most_128_characters() -> None:
    assert read(transaction_id="x" * 128).transaction_id == "x" * 128
    sentence = "transaction_id must be a non-empty string of at most 128 characters"
    for wrong in ("x" * 129, "", "  ", 5, True, ["x"], "\ud800"):
        assert faults(transaction_id=wrong) == [("transaction_id", sentence)]


@pytest.mark.parametrize("field", TEXTS)
def test_an_optional_text_may_be_empty_or_null_and_then_is_absent(field: str) -> None:
    assert getattr(read(**{field: ""}), field) is None
    assert getattr(read(**{field: None}), field) is None
    assert getattr(read(**{field: "é" * 256}), field) == "é" * 256
    for wrong in ("x" * 257, 5, True, ["x"], "\udc00"):
        assert faults(**{field: wrong}) == [(field, f"{field} must be a string of at most 256 characters")]


@pytest.mark.parametrize(("field", "limit"), [("latitude", 90), ("longitude", 180)])
def test_a_place_must_be_on_earth(field: str, limit: int) -> None:
    assert getattr(read(**{field: Decimal("-12.5")}), field) == -12.5
    assert getattr(read(**{field: limit}), field) == limit
    for wrong in (limit + 1, -limit - 1, "12", True, float("nan"), Decimal("1e9999999"), 10**10_000):
        assert faults(**{field: wrong}) == [(field, f"{field} must be a number from -{limit} to {limit}")]


def test_further_scalar_members_are_kept_in_the_order_of_their_names() -> None:
    kept = read(zone="b", tip=Decimal("1.50"), items=3, gift=False, note=None, rate=Decimal("2.0")).attributes
    assert kept == {"gift": False, "items": 3, "rate": 2, "tip": 1.5, "zone": "b"}
    assert list(kept) == sorted(kept)
    assert isinstance(kept["rate"], int), "2 and 2.0 are the same number and give the same bytes"


def test_attributes_have_limits() -> None:
    many = {f"a{number}": number for number in range(MOST_ATTRIBUTES)}
    assert len(read(**many).attributes or ()) == MOST_ATTRIBUTES
    assert [field for field, _ in faults(**many, one_more=1)] == ["attributes"]
    assert [field for field, _ in faults(**{"n" * 65: 1})] == ["n" * 64]
    assert read(note="x" * 1024).attributes == {"note": "x" * 1024}
    hostile: list[object] = ["x" * 1025, [], {}, float("nan"), Decimal("1e300"), 10**400]
    for wrong in hostile:
        assert [field for field, _ in faults(note=wrong)] == ["note"]


@pytest.mark.parametrize("field", ["amount", "timestamp", "latitude", "note"])
@pytest.mark.parametrize(
    "value",
    [Decimal("1e999999999"), Decimal("-1e999999999"), Decimal("1e-999999999"), 10**100_000, -(10**100_000)],
    ids=["1e999999999", "-1e999999999", "1e-999999999", "10^100000", "-10^100000"],
)
@pytest.mark.timeout(20)  # who writes a number out in full is not done before the sun sets
def test_hostile_numbers_are_answered_at_once(field: str, value: object) -> None:
    with suppress(Rejected):
        assert read(**{field: value}).transaction_id == EXAMPLE["transaction_id"]


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.binary(),
    st.sampled_from([10**4000, "1e999999999", Decimal("1e999999999"), Decimal("sNaN"), "\ud800", 1j]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(KNOWN)), st.text()), values, max_size=20))
def test_hostile_members_are_read_or_rejected_and_nothing_else(members: Mapping[str, Any]) -> None:
    with suppress(Rejected):
        found = parse(members)
        assert found.amount_minor > 0
        assert decode_transaction(encode_transaction(found)) == found
