"""An isolation forest of which one side counts, as trees that every model has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shroff.core.compiled import Array
from shroff.core.isolation import Growth, isolate, mean_path, rarity
from shroff.core.trees import Trees

SMALL = Growth(trees=30, sample=256)
UP = np.zeros(3, bool)


def bulk(seed: int = 1, many: int = 2_000) -> Array:
    """Amounts and counts with long tails, some of them missing."""
    dice = np.random.default_rng(seed)
    rows = np.column_stack(
        [dice.lognormal(3, 1, many), dice.poisson(2, many).astype(float), dice.exponential(5, many)]
    )
    rows[dice.random(rows.shape) < 0.1] = np.nan
    return rows


def grown(rows: Array, seed: int = 7) -> Trees:
    return isolate(rows, UP, Growth(trees=30, sample=256, seed=seed))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(2, 1e6))
def test_a_row_far_above_all_others_scores_above_nearly_all_of_them(seed: int, factor: float) -> None:
    rows = bulk(seed % 7)
    far = np.nanmax(rows, axis=0) * factor
    sums = grown(rows, seed).sums(np.vstack([rows, far]), 0.0)
    assert np.mean(sums[:-1] < sums[-1]) > 0.995


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), place=st.integers(0, 2))
def test_what_is_below_the_median_or_missing_counts_as_the_median(seed: int, place: int) -> None:
    rows = bulk()
    trees = grown(rows, seed)
    row = np.nanmax(rows, axis=0)
    same = np.vstack([row] * 4)
    same[:, place] = [np.nanmedian(rows[:, place]), -1e9, 0.0, np.nan]
    assert len(np.unique(trees.sums(same, 0.0))) == 1


def test_where_small_values_are_suspicious_the_other_side_is_the_harmless_one() -> None:
    rows = bulk()
    trees = isolate(rows, np.array([True, False, False]), SMALL)
    usual = np.nanmedian(rows, axis=0)
    asked = np.vstack([usual] * 4)
    asked[:, 0] = [usual[0], 1e9, np.nan, 0.0]
    middle, large, missing, small = trees.sums(asked, 0.0)
    assert middle == large == missing < small


def test_the_sum_is_minus_the_mean_path_that_a_walk_by_hand_finds() -> None:
    rows = bulk(2)
    trees = grown(rows)
    paths = np.zeros(20)
    for number, row in enumerate(rows[:20]):
        for root in trees.roots.tolist():
            at, depth = root, 0
            while at >= 0:
                cell = row[trees.feature[at]]
                left = trees.missing_left[at] if np.isnan(cell) else cell <= trees.threshold[at]
                at, depth = int((trees.left if left else trees.right)[at]), depth + 1
            paths[number] += depth + mean_path(int(trees.cover[~at]))
    np.testing.assert_allclose(trees.sums(rows[:20], 0.0), -paths / 30 / mean_path(256), rtol=1e-12)


@given(st.integers(2, 10_000))
def test_one_of_more_rows_takes_more_cuts_to_be_alone(rows: int) -> None:
    assert mean_path(rows) < mean_path(rows + 1)


@pytest.mark.parametrize(
    "rows",
    [
        bulk(),
        np.full((300, 3), np.nan),
        np.ones((300, 3)),
        np.array([[np.inf, -np.inf, 1.0], [0.0, 1.0, 2.0]]),
    ],
    ids=["long tails", "nothing known", "all the same", "endless values"],
)
def test_whatever_the_rows_the_trees_can_be_walked(rows: Array) -> None:
    trees = grown(rows)
    assert trees.problem(3) is None
    assert np.isfinite(trees.sums(rows, 0.0)).all()


def test_the_same_seed_grows_the_same_trees_and_another_does_not() -> None:
    one, same, other = (grown(bulk(), seed) for seed in (7, 7, 8))
    for name in Trees.__dataclass_fields__:
        assert getattr(one, name).tobytes() == getattr(same, name).tobytes()
    assert one.threshold.tobytes() != other.threshold.tobytes()


@given(st.lists(st.floats(-2, 0, allow_subnormal=False).map(lambda x: round(x, 6)), min_size=1, max_size=500))
def test_the_score_never_falls_and_begins_at_one_in_ten(sums: list[float]) -> None:
    raw = np.sort(np.array(sums))
    scores = rarity(raw).probability(raw)
    assert (np.diff(scores) >= 0).all()
    assert (scores >= 0).all()
    assert scores[-1] < 0.1 * np.log10(len(raw) + 1)


def test_a_score_says_what_share_of_the_history_reaches_it() -> None:
    raw = np.random.default_rng(1).normal(size=100_000)
    scores = rarity(raw).probability(raw)
    for least, share in ((0.05, 10**-1.5), (0.1, 1e-2), (0.2, 1e-3)):
        assert np.mean(scores >= least) == pytest.approx(share, rel=0.1)
    assert np.mean(scores > 0) == pytest.approx(0.1, rel=0.02)
