"""Money: exact, in the decimals that a currency has."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.money import DECIMALS, LARGEST, to_minor, to_text


@given(st.sampled_from(sorted(DECIMALS)), st.integers(1, LARGEST))
def test_every_amount_comes_back_from_its_text_exactly(currency: str, minor: int) -> None:
    assert to_minor(Decimal(to_text(minor, currency)), currency) == minor


@given(st.sampled_from(["USD", "JPY", "KWD"]), st.integers(1, 10**12), st.integers(0, 30))
def test_zeros_behind_the_last_decimal_change_nothing(currency: str, minor: int, zeros: int) -> None:
    text = to_text(minor, currency)
    padded = text + ("" if "." in text else ".") + "0" * zeros if zeros else text
    assert to_minor(Decimal(padded), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "decimals"), [("1.5", "JPY", 0), ("1.2345", "KWD", 3), ("0.001", "USD", 2)]
)
def test_more_decimals_than_the_currency_has_is_a_fault_and_no_rounding(
    text: str, currency: str, decimals: int
) -> None:
    with pytest.raises(ValueError, match=rf"^Amount has more decimals than {currency} has \({decimals}\)$"):
        to_minor(Decimal(text), currency)


@pytest.mark.parametrize("text", ["0", "-0", "0.00", "-1", "-1e-9", "-1e999999"])
def test_an_amount_that_is_not_positive_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Amount must be positive$"):
        to_minor(Decimal(text), "USD")


def test_the_largest_amount_is_allowed_and_one_more_is_not() -> None:
    assert to_minor(Decimal(to_text(LARGEST, "USD")), "USD") == LARGEST
    with pytest.raises(ValueError, match=r"^Amount is too large: at most 10000000000000\.00 USD$"):
        to_minor(Decimal(to_text(LARGEST + 1, "USD")), "USD")


@pytest.mark.parametrize(
    "text",
    ["1e999999999", "1e-999999999", "1." + "0" * 200_000, "1." + "0" * 200_000 + "1", "9" * 200_000],
    ids=["huge", "tiny", "many zeros", "many decimals", "many digits"],
)
def test_hostile_numbers_are_answered_at_once(text: str) -> None:
    amount, start = Decimal(text), process_time()
    with suppress(ValueError):
        assert to_minor(amount, "USD") == 100
    assert process_time() - start < 0.5, "nothing may grow with the square of the digits"
