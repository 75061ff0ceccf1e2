"""Bringing the entities' state to where the ledger is, and keeping it for the next start."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.ports import Ledger, Snapshots

_LAST = "last transaction"


def rebuild(policy: Policy, ledger: Ledger, snapshots: Snapshots) -> tuple[State, int, int]:
    """The state after every record of the ledger, the place of the last, and the place of the snapshot used.

    The newest snapshot is taken, and what came since is observed.
    """
    state, seq = policy.empty_state(), 0
    kept = snapshots.load(policy.state_key)
    if kept is not None and _ends_on_ours(ledger, *kept):
        seq = kept[0]
        state.restore(kept[1])
    began = seq
    for records in ledger.history(seq):
        observe(state, Batch.of([record.transaction for record in records]))
        seq = records[-1].seq
    return state, seq, began


def keep(policy: Policy, state: State, seq: int, ledger: Ledger, snapshots: Snapshots) -> None:
    """Keep the state after record `seq`."""
    snapshots.save(policy.state_key, seq, {**state.arrays(), _LAST: _id_of(ledger, seq)})


def _ends_on_ours(ledger: Ledger, seq: int, arrays: Mapping[str, Array]) -> bool:
    """Whether a snapshot is of this history: that of a restored or emptied store would be a wrong state."""
    last = arrays.get(_LAST)
    return last is not None and len(last) > 0 and np.array_equal(last, _id_of(ledger, seq))


def _id_of(ledger: Ledger, seq: int) -> Array:
    records = next(iter(ledger.history(seq - 1)), [])
    transaction_id = records[0].transaction.transaction_id if records and records[0].seq == seq else ""
    return np.frombuffer(transaction_id.encode(), np.uint8)
