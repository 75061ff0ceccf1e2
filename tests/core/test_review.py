"""In which order cards are looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.review import NOBODY, Recent, order

DAY = 86_400_000
WEEK = 7 * DAY


def recent(rows: list[tuple[int, int, float, float, str]]) -> Recent:
    """Rows of (card, merchant, age in days, score, "open", "known" or "soon")."""
    cards, merchants, age, scores, what = zip(*rows, strict=True) if rows else ((),) * 5
    return Recent(
        cards=np.array(cards, np.int64),
        others=[np.array(merchants, np.int64)],
        occurred_at=WEEK - (np.array(age) * DAY).astype(np.int64),
        scores=np.array(scores, float),
        open=np.array([each == "open" for each in what], bool),
        known=np.array([each == "known" for each in what], bool),
    )


def picked(found: Recent, capacity: int) -> list[int]:
    return [int(card) for card in order(found, capacity, WEEK, WEEK)]


def test_the_first_place_goes_to_the_highest_score() -> None:
    found = recent([(0, 0, 0.1, 0.1, "open"), (1, 1, 0.1, 0.9, "open"), (2, 2, 0.1, 0.2, "open")])
    assert picked(found, 1) == [1]


def test_the_informative_card_is_looked_at_before_one_whose_merchants_are_known() -> None:
    known = [(9, merchant, 0.0, 0.01, "known") for merchant in range(3)]
    dull = [(1, merchant, 1.0, 0.05, "open") for merchant in range(3)]
    telling = [(2, merchant, 1.0, 0.01, "open") for merchant in range(3, 6)]
    suspect = [(0, 6, 1.0, 0.9, "open")]
    assert picked(recent(known + dull + telling + suspect), 2) == [0, 2]


def test_two_cards_at_the_same_merchants_tell_little_more_than_one() -> None:
    twins = [(card, merchant, 1.0, 0.01, "open") for card in (1, 2) for merchant in range(3)]
    other = [(3, merchant, 1.0, 0.01, "open") for merchant in range(3, 5)]
    suspect = [(0, 9, 1.0, 0.9, "open")]
    assert picked(recent(twins + other + suspect), 3) == [0, 1, 3]


def test_nobody_asks_again_after_a_merchant_that_is_taken_for_bad() -> None:
    bad = [(1, 0, 1.0, 0.99, "open"), (4, 0, 0.5, 0.99, "soon")]
    unknown = [(2, 1, 1.0, 0.01, "open"), (4, 1, 0.5, 0.01, "soon")]
    suspect = [(0, 9, 1.0, 1.0, "open")]
    assert picked(recent(bad + unknown + suspect), 2) == [0, 2]


def test_where_there_is_no_merchant_nothing_is_learned() -> None:
    found = recent([(0, NOBODY, 0.1, 0.9, "open"), (1, NOBODY, 0.1, 0.2, "open"), (2, 3, 0.1, 0.1, "open")])
    assert picked(found, 2) == [0, 2]


def test_places_that_are_left_go_by_score() -> None:
    found = recent([(card, NOBODY, 0.1, card / 10, "open") for card in range(5)])
    assert picked(found, 4) == [4, 3, 2, 1]


def test_there_need_not_be_any_other_entity() -> None:
    found = replace(recent([(5, 0, 0.1, 0.9, "open"), (6, 0, 0.1, 0.1, "open")]), others=())
    assert picked(found, 10) == [5, 6]
    assert picked(recent([]), 10) == []


rows = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(-1, 6),
        st.floats(0, 7),
        st.floats(0, 1),
        st.sampled_from(["open", "known", "soon"]),
    ),
    max_size=60,
)


@given(rows=rows, capacity=st.integers(0, 15))
def test_cards_with_something_open_are_chosen_once_and_never_too_many(
    rows: list[tuple[int, int, float, float, str]], capacity: int
) -> None:
    found = recent(rows)
    chosen = picked(found, capacity)
    assert len(chosen) == min(capacity, len(np.unique(found.cards[found.open])))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(found.cards[found.open].tolist())
    assert chosen == picked(found, capacity)


@given(rows=rows, capacity=st.integers(0, 15), seed=st.integers(0, 9))
def test_the_order_of_the_rows_changes_nothing(
    rows: list[tuple[int, int, float, float, str]], capacity: int, seed: int
) -> None:
    turned = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    assert picked(recent(turned), capacity) == picked(recent(rows), capacity)
