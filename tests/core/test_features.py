"""Feature names: their grammar, and what a wrong one is told."""

from __future__ import annotations

import pytest

from shroff.core.features import OPERATIONS, feature, milliseconds

ENTITIES = {"customer": ("customer_id",), "card": ("card_id",), "pair": ("customer_id", "merchant")}


@pytest.mark.parametrize(
    ("text", "expected"), [("1s", 1_000), ("5m", 300_000), ("24h", 86_400_000), ("30d", 2_592_000_000)]
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0m", "-5m", "5 m", "5w", "1.5h", "05m", "5m ", "1234567s", "٣m"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: give a whole number and s, m, h or d"):
        milliseconds(text)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_makes_a_feature_of_its_entity_and_window(operation: str) -> None:
    found = feature("card", f"{operation}_24h", ENTITIES)
    assert (found.name, found.entity, found.operation) == (f"card.{operation}_24h", "card", operation)
    assert (found.field, found.window) == (None, 86_400_000)


@pytest.mark.parametrize(
    ("of", "field"), [("card", "card_id"), ("card_id", "card_id"), ("merchant", "merchant")]
)
def test_a_distinct_count_names_a_member_or_the_entity_it_identifies(of: str, field: str) -> None:
    found = feature("customer", f"{of}_distinct_1h", ENTITIES)
    assert (found.operation, found.field, found.name) == ("distinct", field, f"customer.{of}_distinct_1h")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("amount_meen_30d", "did you mean amount_mean_30d?"),
        ("cuont_5m", "did you mean count_5m?"),
        ("zzz_5m", "choose from count, amount_sum"),
        ("count", "is not a feature: give an operation and a window, for example count_5m"),
        ("count_0m", "is not a feature"),
        ("count_5w", "is not a feature"),
        ("Count_5m", "is not a feature"),
        ("count_401d", "is longer than 400d"),
        ("pair_distinct_1h", '"pair" in "pair_distinct_1h" is neither an entity of one field nor one of'),
        ("amount_distinct_1h", "is neither an entity of one field nor one of"),
        ("", "is not a feature"),
    ],
)
def test_a_wrong_feature_is_told_what_would_be_right(text: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the sentence is compared below
        feature("customer", text, ENTITIES)
    assert told in str(caught.value)
