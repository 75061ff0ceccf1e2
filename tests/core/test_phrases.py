"""What a feature's value says in words."""

from __future__ import annotations

import pytest

from shroff.core.features import ALL_OPERATIONS, feature
from shroff.core.phrases import PHRASES, phrase, plain_phrase

ENTITIES = {"customer": ("customer_id",), "customer_merchant": ("customer_id", "merchant")}


@pytest.mark.parametrize(
    ("text", "value", "usual", "said"),
    [
        ("merchant_distinct_1h", 4.0, 1.0, "4 merchants of this customer in the last hour; usually 1"),
        ("merchant_distinct_1h", 1.0, None, "1 merchant of this customer in the last hour"),
        ("country_distinct_24h", 2.0, 1.0, "2 countries of this customer in the last day; usually 1"),
        ("count_5m", 1.0, 0.0, "1 transaction of this customer in the last 5 minutes; usually 0"),
        ("amount_sum_30d", 1234.5, 80.0, "1,234.50 in all by this customer in the last 30 days; usually 80"),
        ("amount_max_7d", None, 80.0, "no amount of this customer in the last 7 days"),
        ("since_last_1d", 9.0, 9e3, "9 seconds since the last transaction of this customer; usually 2 hours"),
        ("since_last_30d", None, None, "no transaction of this customer in the last 30 days"),
        ("fraud_rate_7d", 0.25, None, "25 % of what is known of this customer from the last 7 days is fraud"),
        ("fraud_count_1d", 3.0, 0.0, "3 known frauds of this customer from the last day; usually 0"),
        ("speed_1d", 1395.2, 4.0, "1,395 km an hour from the last place of this customer; usually 4 km"),
        ("distance_last_1d", None, 3.0, "no place now, or none of this customer in the last day"),
        ("distance_usual_30d", 0.25, None, "0.25 km from where this customer usually is"),
        ("since_fraud_30d", None, None, "no known fraud of this customer in the last 30 days"),
    ],
)  # fmt: skip
def test_a_feature_is_told_with_what_is_usual(
    text: str, value: float | None, usual: float | None, said: str
) -> None:
    assert phrase(feature("customer", text, ENTITIES), value, usual) == said


def test_every_operation_has_its_words_for_a_value_and_for_none() -> None:
    assert set(PHRASES) == {*ALL_OPERATIONS, "distinct"}
    for operation in ALL_OPERATIONS:
        one = feature("customer_merchant", f"{operation}_7d", ENTITIES)
        for value in (0.0, 1.0, 2.5, None):
            said = phrase(one, value)
            assert "{" not in said
            assert value is None or operation not in said
            assert said.startswith("no customer_merchant.") or "customer and merchant" in said


@pytest.mark.parametrize(
    ("name", "value", "usual", "said"),
    [
        ("amount", 512.0, 43.2, "amount 512; usually 43.20"),
        ("amount", None, 43.2, "no amount"),
        ("hour", 3.0, 14.0, "at 3:00 UTC"),
        ("weekday", 6.0, 2.0, "on a Sunday"),
        ("list.regulars", 0.0, 1.0, "not on the list regulars"),
        ("attributes.tip", 2.0, None, "tip 2"),
    ],
)
def test_what_a_transaction_says_itself_is_told_plainly(
    name: str, value: float | None, usual: float | None, said: str
) -> None:
    assert plain_phrase(name, value, usual) == said
