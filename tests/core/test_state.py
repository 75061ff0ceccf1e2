"""The state of entities: what is saved and restored goes on as if nothing had happened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.columns import Batch
from shroff.core.features import Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_windows import DAY, HOUR, layouts, streams, transaction


@given(streams, st.integers(0, 40))
def test_a_restored_state_gives_the_features_of_one_that_never_stopped(
    stream: list[Transaction], cut: int
) -> None:
    steady, stopped = State.empty(layouts(), "USD", {}), State.empty(layouts(), "USD", {})
    before, after = Batch.of(stream[:cut]), Batch.of(stream[cut:])
    observe(steady, before)
    observe(stopped, before)
    restarted = State.empty(layouts(), "USD", {})
    restarted.restore(stopped.arrays())
    np.testing.assert_array_equal(observe(restarted, after), observe(steady, after))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wild", [0.0, 0.002])
@pytest.mark.parametrize("lateness", [0, DAY])
def test_a_state_that_is_restored_again_and_again_answers_a_busy_customer_alike(
    seed: int, wild: float, lateness: int
) -> None:
    random = np.random.default_rng(seed)
    late = np.where(random.random(4_000) < 0.05, random.integers(0, 2 * HOUR, 4_000), 0)
    ahead = np.where(random.random(4_000) < wild, random.integers(0, 40 * DAY, 4_000), 0)
    times = np.maximum(0, np.arange(4_000) * 4_000 - late) + ahead
    shops = random.integers(0, 2_000, 4_000)
    stream = [transaction(int(at), 100, "ann", f"m{shop}") for at, shop in zip(times, shops, strict=True)]
    steady, forgetful = (State.empty(layouts(lateness), "USD", {}) for _ in range(2))
    for first in range(0, len(stream), 40):
        batch = Batch.of(stream[first : first + 40])
        forgetful.restore(forgetful.arrays())
        np.testing.assert_array_equal(observe(forgetful, batch), observe(steady, batch))


def test_a_window_that_is_no_whole_number_of_tiles_is_answered_alike_after_a_restore() -> None:
    shops = np.random.default_rng(3).integers(0, 2_000, 3_000)
    stream = [transaction(at * 20, 100, "ann", f"m{shop}") for at, shop in enumerate(shops)]
    layout = Layout(
        entity="customer", fields=("customer_id",), lateness=DAY,
        features=(feature("customer", "merchant_distinct_10s", {"customer": ("customer_id",)}),),
    )  # fmt: skip
    steady, forgetful = (State.empty([layout], "USD", {}) for _ in range(2))
    for first in range(0, len(stream), 7):
        batch = Batch.of(stream[first : first + 7])
        forgetful.restore(forgetful.arrays())
        np.testing.assert_array_equal(observe(forgetful, batch), observe(steady, batch))


@given(streams)
def test_what_is_saved_has_nothing_to_spare(stream: list[Transaction]) -> None:
    state = State.empty(layouts(), "USD", {})
    observe(state, Batch.of(stream))
    for name, array in state.arrays().items():
        entity = state.entities[name.split("/")[0]]
        part = entity.chains if "Chains." in name else entity.distincts
        if name.endswith(("blocks", "kinds", "heads")):
            assert len(array) == len(entity.slots)
        elif name.endswith(("times", "values", "hashes", "across", "down")):
            assert len(array) == part.ends[0]
