"""Habits against a brute-force oracle that keeps every amount, and what they say of plain examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shroff.core.chains import SAMPLED, TILES
from shroff.core.columns import Batch
from shroff.core.features import HABIT_OPERATIONS, Feature, Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_windows import (
    DAY,
    ENTITIES,
    HOUR,
    MINUTE,
    WINDOWS,
    interpreted,
    streams,
    transaction,
)

NAMES = [f"{operation}_{window}" for operation in HABIT_OPERATIONS for window in WINDOWS]
LAYOUT = Layout("customer", ("customer_id",), tuple(feature("customer", n, ENTITIES) for n in NAMES), DAY)


@st.composite
def priced(draw: st.DrawFn) -> list[Transaction]:
    """A disordered stream in which some amounts are in a currency without a rate."""
    stream = draw(streams)
    foreign = draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    return [replace(row, currency="JPY") if away else row for row, away in zip(stream, foreign, strict=True)]


def run(stream: Sequence[Transaction], cuts: Sequence[int] = ()) -> np.ndarray:
    state = State.empty([LAYOUT], "USD", {})
    edges = pairwise([0, *sorted(cuts), len(stream)])
    return np.vstack([observe(state, Batch.of(stream[a:b])) for a, b in edges])


def oracle(stream: Sequence[Transaction]) -> np.ndarray:
    rows = []
    for position, this in enumerate(stream):
        known = this.customer_id is not None
        rows.append(
            [answer(each, sample(each, stream[:position], this), this) if known else math.nan
             for each in LAYOUT.features]
        )  # fmt: skip
    return np.array(rows, np.float64)


def sample(asked: Feature, earlier: Sequence[Transaction], this: Transaction) -> list[tuple[int, float]]:
    """(time, amount), the newest first; what occurred in one instant counts once, as its mean."""
    tile = max(1, asked.window // TILES)
    floor = (this.occurred_at - asked.window) // tile * tile
    amounts: dict[int, list[int]] = {}
    for each in earlier:
        same = each.customer_id == this.customer_id and each.currency == "USD"
        if same and floor <= each.occurred_at <= this.occurred_at:
            amounts.setdefault(each.occurred_at, []).append(each.amount_minor)
    return [(at, sum(some) / len(some)) for at, some in sorted(amounts.items(), reverse=True)][:SAMPLED]


def answer(asked: Feature, found: Sequence[tuple[int, float]], this: Transaction) -> float:
    if len(found) < 3:
        return math.nan
    amounts = [amount for _, amount in found]
    usual = median(amounts) + 100
    ratios = [max((amount + 100) / usual, usual / (amount + 100)) for amount in amounts]
    deviation = median(ratios)
    bound = max(math.e, deviation**3) * usual - 100
    unusual = [at for at, amount in found if amount > bound]
    if asked.operation == "since_surprise":
        return (this.occurred_at - unusual[0]) / 1000 if unusual else math.nan
    if asked.operation == "surprise_count":
        return len(unusual)
    if asked.operation == "surprise_max":
        return math.log((max(amounts) + 100) / usual)
    if this.currency != "USD":
        return math.nan
    if asked.operation == "amount_rank":
        return sum(amount < this.amount_minor for amount in amounts) / len(amounts)
    surprise = math.log((this.amount_minor + 100) / usual)
    return (
        surprise if asked.operation == "amount_surprise" else surprise / (1.4826 * math.log(deviation) + 0.1)
    )


@given(priced())
def test_habits_equal_a_brute_force_oracle(stream: list[Transaction]) -> None:
    np.testing.assert_allclose(run(stream), oracle(stream), rtol=1e-9, atol=1e-12)


@given(priced(), st.data())
def test_any_split_into_batches_gives_the_same_habits_to_the_bit(
    stream: list[Transaction], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4))
    np.testing.assert_array_equal(run(stream, cuts), run(stream))


@given(priced())
def test_compiled_and_interpreted_kernels_agree_on_habits_to_the_bit(stream: list[Transaction]) -> None:
    compiled = run(stream)
    with interpreted():
        np.testing.assert_array_equal(run(stream), compiled)


@pytest.mark.parametrize("seed", range(3))
def test_a_habit_of_more_amounts_than_are_kept_apart_stays_among_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    amounts = random.integers(1_000, 2_000, 3_000)
    times = np.sort(random.integers(0, 6 * HOUR, 3_000))
    stream = [transaction(int(at), int(a), "ann", None) for at, a in zip(times, amounts, strict=True)]
    found = dict(zip(NAMES, run(stream)[-1], strict=True))
    this = int(amounts[-1]) + 100
    for window in WINDOWS:
        usual = this / math.exp(found[f"amount_surprise_{window}"])
        assert 1_100 <= usual <= 2_100
        assert usual * math.exp(found[f"surprise_max_{window}"]) <= 2_100 + 1e-6
        assert found[f"surprise_count_{window}"] == 0


def told(*amounts: int) -> dict[str, float]:
    """What is said of the last of some amounts, a minute apart."""
    stream = [transaction(at * MINUTE, amount, "ann", "shop") for at, amount in enumerate(amounts)]
    return dict(zip(NAMES, run(stream)[-1], strict=True))


def test_an_amount_is_compared_with_the_median_and_not_with_a_mean_that_one_purchase_moved() -> None:
    found = told(2_000, 2_000, 300_000, 2_000, 2_000, 40_000)
    assert found["amount_surprise_1h"] == pytest.approx(math.log(401 / 21))
    assert found["amount_rank_1h"] == pytest.approx(0.8)
    assert found["surprise_max_1h"] == pytest.approx(math.log(3_001 / 21))
    assert found["surprise_count_1h"] == 1
    assert found["since_surprise_1h"] == 180


def test_who_always_pays_the_same_is_surprised_by_little_and_divided_by_no_zero() -> None:
    found = told(1_000, 1_000, 1_000, 1_200)
    assert found["amount_distance_1h"] == pytest.approx(math.log(13 / 11) / 0.1)
    assert math.isnan(found["since_surprise_1h"])


def test_two_amounts_are_no_habit() -> None:
    assert all(math.isnan(value) for value in told(1_000, 1_000, 9_000).values())
