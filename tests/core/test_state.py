"""The state of entities: what is saved and restored goes on as if nothing had happened."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_windows import layouts, streams


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
