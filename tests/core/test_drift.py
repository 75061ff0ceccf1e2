"""Population stability, rules' habits, and what became of scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.backtest import FRAUD, LEGITIMATE, UNKNOWN
from shroff.core.drift import (
    LEAST,
    MISSING,
    Histograms,
    band,
    bins,
    grouped,
    psi,
    quantile,
    stability,
    typical,
)
from shroff.core.metrics import average_precision
from shroff.core.reliability import EDGES, Judged
from shroff.core.rule_history import chance_of, habit

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
SHARES = st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any).map(lambda c: np.array(c) / sum(c))
COUNTS = st.dictionaries(st.integers(-50, 50) | st.just(MISSING), st.integers(1, 5_000), min_size=1)


# Population stability


def test_psi_of_an_example_by_hand():
    before, now = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.25])
    assert psi(before, now) == pytest.approx(0.5 * math.log(2))


@given(SHARES, SHARES)
def test_psi_is_never_negative_nought_for_equals_and_the_same_both_ways(these, others):
    assert psi(these, others) >= 0
    assert psi(these, these) == 0
    assert psi(these, others) == pytest.approx(psi(others, these))


@given(st.lists(NUMBERS, min_size=2, max_size=40))
def test_bins_rise_with_their_values_and_a_value_is_in_the_bin_that_is_told_of_it(values):
    table = np.array(sorted(value for value in values if not math.isnan(value)))
    found = bins(table)
    assert (np.diff(found.astype(int)) >= 0).all()
    for value, each in zip(table.tolist(), found.tolist(), strict=True):
        told = typical(each)
        assert told is not None
        if 1e-300 < abs(value) < 1e300:
            assert abs(told - value) <= abs(value) / 8
    assert set(bins(np.array([math.nan, -math.nan])).tolist()) == {MISSING}
    assert bins(np.array([-0.0])) == bins(np.array([0.0]))


def test_counts_are_told_exactly():
    assert [typical(int(each)) for each in bins(np.arange(17.0))] == [*map(float, range(17))]
    assert quantile({int(each): 1 for each in bins(np.arange(9.0))}, 0.5) == 4
    assert quantile({MISSING: 9}, 0.5) is None


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=60), st.data())
def test_histograms_are_the_same_in_whatever_parts_they_are_counted(rows, data):
    table = np.array(rows, np.float64).reshape(len(rows), 2)
    whole, parts = Histograms(), Histograms()
    whole.add(("a", "b"), table)
    cut = data.draw(st.integers(0, len(rows)))
    parts.add(("a", "b"), table[:cut])
    parts = Histograms.of(parts.members())
    parts.add(("b", "a"), table[cut:, ::-1])
    assert parts.members() == whole.members()
    both = Histograms.of(whole.members())
    both.plus(whole.members())
    assert both.members() == {
        name: [[each, 2 * count] for each, count in found] for name, found in whole.members().items()
    }


@given(COUNTS, COUNTS)
def test_groups_hold_all_of_both_and_equal_ones_are_stable(reference, today):
    before, now = grouped(reference, today)
    assert before.sum() == pytest.approx(1)
    assert now.sum() == pytest.approx(1)
    assert psi(*grouped(reference, reference)) == 0


def test_what_is_new_is_apart_from_what_is_usual():
    always, never = {0: 5_000}, {0: 2_000, 70: 3_000}
    value = stability(always, never)
    assert value is not None
    assert band(value) == "shifted"
    assert stability(always, {0: 2_000}) == 0
    assert band(stability({0: 5_000}, {0: 1_000, MISSING: 4_000})) == "shifted"


def test_nothing_is_claimed_with_too_few():
    assert stability({}, {1: 9_000}) is stability({1: 9_000}, {}) is stability({}, {}) is None
    assert stability({1: 2 * LEAST}, {1: 2 * LEAST - 1}) is None
    assert stability({1: 2 * LEAST}, {1: 2 * LEAST}) == 0
    assert stability({1: 10**9}, {1: LEAST}) is None
    assert stability({1: 10**9}, {1: LEAST + 1}) == 0
    assert band(None) is None
    assert [band(value) for value in (0.0999, 0.1, 0.2499, 0.25)] == ["stable", "moving", "moving", "shifted"]


def test_draws_of_the_same_are_not_called_moving():
    dice = np.random.default_rng(1)
    for _ in range(200):
        both = [Histograms(), Histograms()]
        for each in both:
            each.add(("x",), dice.lognormal(0, 2, (2 * LEAST, 1)))
        value = stability(*(each.counts()["x"] for each in both))
        assert band(value) == "stable"


# Rules


def test_the_chance_of_so_many_hits_is_poissons():
    assert chance_of(0, 3.0) == 1
    expected = 1 - sum(math.exp(-3) * 3**k / math.factorial(k) for k in range(7))
    assert chance_of(7, 3.0) == pytest.approx(expected)
    assert chance_of(5_000, 3.0) == 0


@pytest.mark.parametrize(
    ("hits", "history", "state"),
    [
        (0, [(2, 100)] * 7, "usual"),  # exp(-2): it may be chance
        (0, [(7, 100)] * 7, "silent"),
        (0, [(7, 100)] * 6, None),
        (0, [(70, 100)] + [(0, 100)] * 9, "usual"),  # it comes in bursts
        (0, [(0, 100)] * 7, "never"),
        (9, [(0, 100)] * 7, "spiking"),
        (2, [(0, 100)] * 7, "usual"),
        (40, [(7, 100)] * 7, "spiking"),
        (20, [(7, 100)] * 7, "usual"),  # less than three times as many
        (40, [(7, 100)] * 7 + [(41, 100)], "usual"),  # it was so before
    ],
)
def test_a_rule_is_silent_or_spiking_only_where_its_own_history_says_so(hits, history, state):
    assert habit(hits, 100, history).state == state


def test_fewer_transactions_are_no_silence():
    assert habit(0, 10, [(7, 100)] * 7).state == "usual"
    assert habit(0, 0, [(7, 100)] * 7).state == "usual"


# What became of scores

SCORED = st.lists(
    st.tuples(st.integers(0, 1_000_000), st.sampled_from([UNKNOWN, LEGITIMATE, FRAUD])), max_size=60
)


def judged(rows) -> Judged:
    made = Judged()
    scores = np.array([score / 1_000_000 for score, _ in rows], np.float64)
    made.add(scores, np.array([label for _, label in rows], np.int64), scores >= 0.5)
    return made


@given(SCORED, SCORED)
def test_days_add_up_to_their_week(first, second):
    assert judged(first).plus(judged(second)).members() == judged(first + second).members()
    assert Judged.of(judged(first).members()).members() == judged(first).members()


def test_the_calibration_of_an_example_by_hand():
    rows = [(20_000, LEGITIMATE)] * 980 + [(20_000, FRAUD)] * 20 + [(400_000, UNKNOWN)]
    told = judged(rows).calibration()
    assert (told["transactions"], told["frauds"], told["expected"]) == (1_000, 20, 20.0)
    assert (told["mean_score"], told["fraud_rate"], told["verdict"]) == (0.02, 0.02, None)
    # Wilson's interval of 20 of 1,000, by hand.
    z = 1.959963984540054
    spread = z * math.sqrt(0.02 * 0.98 / 1_000 + z * z / 4_000_000)
    assert told["low"] == pytest.approx((0.02 + z * z / 2_000 - spread) / (1 + z * z / 1_000), abs=1e-6)
    assert told["high"] == pytest.approx((0.02 + z * z / 2_000 + spread) / (1 + z * z / 1_000), abs=1e-6)
    assert [(each["from"], each["to"], each["transactions"]) for each in told["by_score"]] == [
        (0.01, 0.03, 1_000)
    ]


@pytest.mark.parametrize(
    ("score", "frauds", "verdict"),
    [(20_000, 40, "too low"), (80_000, 40, "too high"), (40_000, 40, None), (1_000, 9, None)],
)
def test_scores_are_called_off_only_by_far_and_with_frauds_enough(score, frauds, verdict):
    rows = [(score, LEGITIMATE)] * (1_000 - frauds) + [(score, FRAUD)] * frauds
    assert judged(rows).calibration()["verdict"] == verdict


@given(SCORED)
def test_a_ranking_by_steps_is_near_that_of_the_scores(rows):
    known = [(score, label) for score, label in rows if label != UNKNOWN]
    ranking, made = judged(rows).ranking(), judged(rows)
    if made.silent or not any(label == FRAUD for _, label in known):
        return
    if all(label == FRAUD for _, label in known):
        assert ranking["average_precision"] is None
        return
    scores = np.array([score for score, _ in known], np.float64)
    steps = np.array([np.float64(score / 1_000_000).view(np.int64) >> 47 for score in scores], np.float64)
    fraud = np.array([label == FRAUD for _, label in known])
    assert ranking["average_precision"] == pytest.approx(average_precision(fraud, steps), abs=1e-6)
    stopped = scores >= 500_000
    if stopped.any():
        assert ranking["precision"] == pytest.approx(float(fraud[stopped].mean()), abs=1e-6)
    assert ranking["recall"] == pytest.approx(float(stopped[fraud].mean()), abs=1e-6)


def test_a_score_on_an_edge_is_in_the_upper_band():
    made = judged([(round(edge * 1_000_000), LEGITIMATE) for edge in EDGES])
    assert made.counts[LEGITIMATE].tolist() == [0] + [1] * len(EDGES)
