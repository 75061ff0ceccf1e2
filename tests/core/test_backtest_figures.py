"""What decisions over history come to: exact sums, honest intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.backtest import FRAUD, LEGITIMATE, UNKNOWN, Estimate, Tally, resampled, wilson

DAY = 86_400_000

rows = st.lists(
    st.tuples(st.integers(0, 5 * DAY), st.integers(0, 3), st.integers(0, 2), st.integers(1, 10**6)),
    max_size=30,
)


def tally(*given: tuple[int, int, int, int], caught_from: int = 2) -> Tally:
    """Of (occurred_at, outcome, label, minor units)."""
    found = Tally(caught_from=caught_from)
    columns = np.array(given, np.int64).reshape(len(given), 4).T
    found.add(columns[0], columns[1], columns[2], columns[3].astype(float))
    return found


def per_day(*days: tuple[int, int]) -> Tally:
    """Of (frauds, how many of them declined) a day, worth 1 each."""
    return tally(
        *(
            (day * DAY, 3 if n < caught else 0, FRAUD, 1)
            for day, (all_, caught) in enumerate(days)
            for n in range(all_)
        )
    )


@given(rows, rows)
def test_counts_and_money_are_the_same_in_one_batch_or_in_two(
    first: list[tuple[int, int, int, int]], second: list[tuple[int, int, int, int]]
) -> None:
    once, twice = tally(*first, *second), tally(*first)
    columns = np.array(second, np.int64).reshape(len(second), 4).T
    twice.add(columns[0], columns[1], columns[2], columns[3].astype(float))
    assert (once.counts() == twice.counts()).all()
    assert (once.values() == twice.values()).all()
    assert once.days.keys() == twice.days.keys()
    assert once.values().sum() == sum(each[3] for each in [*first, *second])


def test_money_stays_exact_where_a_float_would_not() -> None:
    found = tally((0, 0, UNKNOWN, 2**53))
    for _ in range(3):
        found.add(np.array([0]), np.array([0]), np.array([UNKNOWN]), np.array([1.0]))
    assert found.values()[0, UNKNOWN] == 2**53 + 3


def test_precision_and_recall_count_from_the_outcome_that_raises_alerts() -> None:
    found = tally(
        (0, 3, FRAUD, 1), (0, 2, FRAUD, 1), (0, 1, FRAUD, 1), (0, 2, LEGITIMATE, 1), (0, 3, UNKNOWN, 1)
    )
    shares = found.estimates()
    assert (shares["precision"].value, shares["recall"].value) == (0.666667, 0.666667)


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilsons_interval_holds_the_share_and_stays_within_0_and_1(hits: int, misses: int) -> None:
    found = wilson(hits, hits + misses)
    if hits + misses == 0:
        assert found == Estimate(None)
        return
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    mirrored = wilson(misses, hits + misses)
    assert mirrored.low is not None
    assert math.isclose(mirrored.low, 1 - found.high, abs_tol=2e-6)


@pytest.mark.parametrize(("hits", "of", "low", "high"), [(0, 20, 0.0, 0.161), (81, 263, 0.255, 0.366)])
def test_wilsons_interval_is_that_of_the_books(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)  # 81 of 263: Newcombe 1998
    assert (round(found.low or 0, 3), round(found.high or 0, 3)) == (low, high)


def test_the_change_of_a_policy_against_itself_is_nothing_and_sure() -> None:
    days = [(n % 4 + 1, n % 3) for n in range(20)]
    *_, change = resampled((per_day(*days), per_day(*days)), seed=1)
    assert change["recall"] == Estimate(0.0, 0.0, 0.0)


def test_days_that_agree_give_a_surer_interval_than_days_that_do_not() -> None:
    steady, wild = per_day(*[(4, 2)] * 20), per_day(*[(4, 4), (4, 0)] * 10)
    one, other, _ = resampled((steady, wild), seed=1)
    assert one["recall"] == Estimate(0.5, 0.5, 0.5)
    low, high = other["recall"].low, other["recall"].high
    assert low is not None
    assert high is not None
    assert 0.2 < low < 0.35
    assert 0.65 < high < 0.8


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    pair = per_day((3, 1), (5, 4), (2, 0), (7, 1)), per_day((3, 2), (5, 1), (2, 2), (7, 5))
    assert resampled(pair, seed=1) == resampled(pair, seed=1)
    assert resampled(pair, seed=1) != resampled(pair, seed=2)


def test_one_day_alone_has_no_interval_and_no_day_no_figure() -> None:
    one, *_ = resampled((per_day((2, 1)), per_day((2, 1))), seed=1)
    assert one["recall"] == Estimate(0.5)
    none, *_ = resampled((tally(), tally()), seed=1)
    assert none["recall"] == Estimate(None)
    assert none["alerts_per_day"] == Estimate(0.0)


def test_what_nothing_is_known_of_has_no_share() -> None:
    pair = tally((0, 3, UNKNOWN, 5), (DAY, 3, UNKNOWN, 5)), tally((0, 0, UNKNOWN, 5), (DAY, 0, UNKNOWN, 5))
    for side in resampled(pair, seed=1):
        assert side["precision"] == side["recall"] == side["value_detection_rate"] == Estimate(None)
