"""Thresholds: as cheap as any pair of them, and never above the capacity."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.compiled import Array
from shroff.core.thresholds import Costs, cheapest, outlay, within_capacity

SCORES = st.integers(0, 12).map(lambda number: round(number / 12, 6))
ROWS = st.lists(st.tuples(st.booleans(), SCORES, st.integers(0, 300)), min_size=1, max_size=30)
COSTS = st.builds(Costs, review=st.integers(0, 60).map(float), friction=st.integers(0, 200).map(float))
LEAST = st.sampled_from([0.0, 0.3, 0.999, math.inf])
DAYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), SCORES), min_size=1, max_size=40)


def columns(rows: list[tuple[bool, float, int]]) -> tuple[Array, Array, Array]:
    """Labels, scores and values."""
    fraud, scores, values = zip(*rows, strict=True)
    return np.array(fraud), np.array(scores), np.array(values, float)


def spent(rows: list[tuple[bool, float, int]], costs: Costs, review: float, decline: float) -> float:
    """What two thresholds cost, one transaction at a time."""
    total = 0.0
    for fraud, score, value in rows:
        if score >= decline:
            total += 0 if fraud else costs.friction
        elif score >= review:
            total += costs.review
        else:
            total += value if fraud else 0
    return total


@given(ROWS, COSTS, LEAST)
def test_no_pair_of_thresholds_costs_less(
    rows: list[tuple[bool, float, int]], costs: Costs, least: float
) -> None:
    found = cheapest(*columns(rows), costs, least)
    places = [each for each in {*(score for _, score, _ in rows), math.inf} if each >= least]
    tried = [spent(rows, costs, one, other) for one, other in product(places, places) if one <= other]
    mine = outlay(*columns(rows), costs, found).cost
    assert mine == pytest.approx(min(tried))
    assert all(each >= least for each in found.values())


@given(ROWS, COSTS)
def test_what_is_told_of_thresholds_adds_up(rows: list[tuple[bool, float, int]], costs: Costs) -> None:
    fraud, scores, values = columns(rows)
    found = cheapest(fraud, scores, values, costs)
    told = outlay(fraud, scores, values, costs, found)
    caught = told.declined - told.declined_legitimate + told.reviewed_frauds
    assert caught + told.passed == fraud.sum()
    review, decline = found.get("review", math.inf), found.get("decline", math.inf)
    assert told.cost == pytest.approx(spent(rows, costs, review, decline))
    assert review < decline or review == math.inf


@given(DAYS, st.integers(1, 5))
def test_on_no_day_lie_more_cards_above_than_can_be_looked_at_and_any_lower_threshold_is_too_low(
    rows: list[tuple[int, int, float]], capacity: int
) -> None:
    days, cards, scores = (np.array(each) for each in zip(*rows, strict=True))

    def busiest(threshold: float) -> int:
        above = {(day, card) for day, card, score in rows if score >= threshold}
        return max((sum(day == each for each, _ in above) for day in range(4)), default=0)

    found = within_capacity(days, cards, scores, capacity)
    if found is not None:
        assert busiest(found) <= capacity
    lower = scores[scores < (math.inf if found is None else found)]
    assert not len(lower) or busiest(float(lower.max())) > capacity


def test_a_threshold_is_the_shortest_number_between_two_scores() -> None:
    fraud, scores = np.array([False, True]), np.array([0.123456, 0.987654])
    costs = Costs(review=1.0, friction=1.0)
    assert cheapest(fraud, scores, np.full(2, 50.0), costs) == {"decline": 0.9}


def test_what_is_not_worth_stopping_is_not_stopped() -> None:
    fraud, scores = np.array([False, True]), np.array([0.9, 0.8])
    assert cheapest(fraud, scores, np.array([0.0, 3.0]), Costs(review=5.0, friction=50.0)) == {}


def test_where_reviews_cost_more_than_frauds_are_worth_the_certain_are_still_declined() -> None:
    fraud, scores = np.array([False, True, True]), np.array([0.1, 0.4, 0.95])
    assert cheapest(fraud, scores, np.full(3, 9.0), Costs(review=10.0, friction=100.0)) == {"decline": 0.4}
