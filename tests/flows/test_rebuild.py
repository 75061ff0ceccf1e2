"""Rebuilding the state: a snapshot and what came since are all of history."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from shroff.flows.rebuild import keep, rebuild
from tests.core.samples import DOCUMENT, HOUR, policy, streams, transaction
from tests.flows.pipeline import Pipeline


def answers(state: State) -> np.ndarray:
    """What a state says of some transactions to come."""
    probes = [transaction(900 + n, n * HOUR, customer_id=who, card_id="c1", merchant="shop")
              for n, who in enumerate(["ann", "bob", "ann", None])]  # fmt: skip
    return observe(state, Batch.of(probes))


def kept(pipeline: Pipeline) -> None:
    state, seq, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    keep(pipeline.policy, state, seq, pipeline.store.ledger, pipeline.snapshots)


@given(streams, st.integers(0, 40))
def test_a_snapshot_and_its_tail_are_the_whole_of_history(stream: list[Transaction], cut: int) -> None:
    pipeline = Pipeline()
    pipeline.run(stream[:cut])
    kept(pipeline)
    pipeline.run(stream[cut:])
    state, seq, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    assert seq == len(stream)
    np.testing.assert_array_equal(answers(state), answers(pipeline.state))


def test_the_state_goes_on_without_changing_what_was_kept() -> None:
    pipeline = Pipeline()
    pipeline.run(transaction(number, number, customer_id="ann") for number in range(5))
    kept(pipeline)
    first, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    expected = answers(first)
    again, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    np.testing.assert_array_equal(answers(again), expected)


def folded(pipeline: Pipeline, rows: list[Transaction]) -> None:
    """The state is that of these rows, and of nothing else."""
    state, seq, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    fresh = pipeline.policy.empty_state()
    observe(fresh, Batch.of(rows))
    assert seq == len(rows)
    np.testing.assert_array_equal(answers(state), answers(fresh))


@pytest.mark.parametrize("others", [0, 3, 7, 12])
def test_a_snapshot_of_another_history_is_not_used(others: int) -> None:
    foreign = Pipeline()
    foreign.run(transaction(number, number, customer_id="ann") for number in range(7))
    kept(foreign)
    pipeline = Pipeline()
    pipeline.snapshots = foreign.snapshots
    rows = [transaction(100 + number, number, customer_id="ann") for number in range(others)]
    pipeline.run(rows)
    folded(pipeline, rows)


def test_a_snapshot_without_its_last_transaction_is_not_used() -> None:
    pipeline = Pipeline()
    rows = [transaction(number, number, customer_id="ann") for number in range(3)]
    pipeline.run(rows)
    pipeline.snapshots.save(pipeline.policy.state_key, 9, pipeline.state.arrays())
    folded(pipeline, rows)


def test_a_policy_with_other_windows_is_given_its_own_state() -> None:
    pipeline = Pipeline()
    rows = [transaction(number, number, customer_id="ann") for number in range(3)]
    pipeline.run(rows)
    kept(pipeline)
    pipeline.policy = policy(DOCUMENT.replace("count_5m", "count_6m"))
    folded(pipeline, rows)
