"""In which order a batch is gone through makes no difference to what anybody sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core import chains
from shroff.core.chains import turns_of
from shroff.core.columns import Batch
from shroff.core.labels import Labelled
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_windows import layouts, streams


@given(streams, st.data())
def test_rows_and_labels_of_an_entity_taken_together_give_what_the_order_of_time_gives(
    stream: list[Transaction], data: st.DataObject
) -> None:
    batch = Batch.of(stream)
    before = np.array(
        sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=len(stream)))), np.int64
    )
    of = [stream[at] for at in data.draw(st.permutations(range(len(stream))))[: len(before)]]
    known_at = np.sort(np.array([each.occurred_at + 60_000 for each in of], np.int64))
    fraud = np.array([at % 2 == 0 for at in range(len(of))], bool)
    labelled = Labelled(batch=Batch.of(of), fraud=fraud, known_at=known_at)
    found = []
    for together in (0, 10**9):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(chains, "TOGETHER", together)
            state = State.empty(layouts(), "USD", {})
            found += [observe(state, batch, labelled, before), observe(state, batch)]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[3])


def test_each_label_is_learned_before_its_row_and_no_entity_loses_its_order() -> None:
    slots = np.arange(300) % 3
    turns = turns_of(slots, np.array([1, 1, 2]), np.array([1, 4, 300])).tolist()
    assert [turn for turn in turns if turn >= 0 and slots[turn] == 0] == list(range(0, 300, 3))
    assert turns[100:104] == [~0, 1, ~1, 4]
    assert turns[-1] == ~2
