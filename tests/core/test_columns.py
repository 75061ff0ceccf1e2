"""Batches as columns: amounts in the base currency, keys, hashes."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.columns import Batch
from shroff.core.transaction import Transaction
from tests.core.samples import streams, transaction


@pytest.mark.parametrize(
    ("minor", "currency", "base", "rate", "expected"),
    [
        (1000, "JPY", "USD", "0.0067", 670),  # 1,000 yen are 6.70 dollars
        (670, "USD", "JPY", "150", 1005),  # 6.70 dollars are 1,005 yen
        (1234, "KWD", "USD", "3.25", 401),  # 1.234 dinar are 4.01 dollars, rounded from 4.0105
        (999, "EUR", "USD", "1", 999),
        (5, "EUR", "USD", "0.5", 2),  # half a cent to even
        (1, "JPY", "USD", "0.0067", 1),
    ],
)
def test_an_amount_comes_into_the_base_currency_with_its_decimals(
    minor: int, currency: str, base: str, rate: str, expected: int
) -> None:
    batch = Batch.of([transaction(1, amount=minor, currency=currency)])
    assert batch.in_base(base, {currency: Decimal(rate)}).tolist() == [expected]


def test_an_amount_without_a_rate_is_missing_and_the_base_currency_needs_none() -> None:
    batch = Batch.of([transaction(1, currency="CHF"), transaction(2, currency="USD")])
    np.testing.assert_array_equal(batch.in_base("USD", {}), [np.nan, 1000])


def test_an_entity_of_several_fields_is_missing_where_one_of_them_is() -> None:
    rows = [
        transaction(1, customer_id="a", merchant="b"),
        transaction(2, customer_id="a"),
        transaction(3, customer_id="ab", merchant=""),
        transaction(4, customer_id="a", merchant="b"),
    ]
    keys = Batch.of(rows).keys(("customer_id", "merchant"))
    assert keys[0] == keys[3] != keys[2]
    assert keys[1] is None


def test_the_keys_of_two_entities_do_not_run_into_each_other() -> None:
    rows = [transaction(1, customer_id="a", merchant="bc"), transaction(2, customer_id="ab", merchant="c")]
    assert len(set(Batch.of(rows).keys(("customer_id", "merchant")))) == 2


def test_a_hash_is_the_same_in_every_process_and_zero_where_there_is_nothing() -> None:
    batch = Batch.of([transaction(1, merchant="shop"), transaction(2), transaction(3, merchant="bar")])
    assert batch.hashes("merchant").tolist() == [223946390393525802, 0, 5705421683097338155]


@given(streams, st.data())
def test_a_part_of_a_batch_has_the_same_rows(stream: list[Transaction], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(stream)))
    whole, part = Batch.of(stream), Batch.of(stream[start:])
    assert len(part) == len(stream) - start
    rates = {"EUR": Decimal("1.1")}
    np.testing.assert_array_equal(part.in_base("USD", rates), whole.in_base("USD", rates)[start:])
    for fields in (("card_id",), ("customer_id", "merchant")):
        assert part.keys(fields) == whole.keys(fields)[start:]
