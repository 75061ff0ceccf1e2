"""Bringing the entities' state to where the ledger is, and keeping it for the next start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.labels import learn
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.learn import Relearning, labelled_of, rows_before
from shroff.ports import Learned, LearnedLabels, Ledger, Record, Snapshots

_LAST, _LEARNED = "last transaction", "last label"
_FOREVER = 2**62
_TOGETHER = 5_000


class Rebuilt(NamedTuple):
    """The state after every record of the ledger and every label that was learned."""

    state: State
    seq: int
    """The place of the last record."""
    began: int
    """The place of the snapshot used, 0 for none."""
    place: int
    """The place of the label that was learned last."""


def rebuild(
    policy: Policy, ledger: Ledger, snapshots: Snapshots, labels: LearnedLabels | None = None
) -> Rebuilt:
    """The state after all of history, labels learned where they were learned when it happened.

    The newest snapshot is taken, and what came since is observed.
    """
    state, seq, learning = policy.empty_state(), 0, Relearning(labels)
    kept = snapshots.load(policy.state_key)
    if kept is not None and _ends_on_ours(ledger, labels, *kept):
        seq, learning.place = kept[0], _place_in(kept[1])
        state.restore(kept[1])
    began = seq
    for records in ledger.history(seq):
        seq = records[-1].seq
        _observe(state, records, list(learning.until(seq)))
    rest: Iterator[Learned] = learning.until(_FOREVER)
    while part := list(islice(rest, _TOGETHER)):
        learn(state, labelled_of(part))
    return Rebuilt(state, seq, began, learning.place)


def keep(  # noqa: PLR0913  # where it is in both logs, and a port for each
    policy: Policy,
    state: State,
    seq: int,
    ledger: Ledger,
    snapshots: Snapshots,
    *,
    place: int = 0,
    labels: LearnedLabels | None = None,
) -> int:
    """Keep the state after record `seq` and the label that was learned as number `place`.

    Returns how many bytes that is.
    """
    marks = {_LAST: _id_of(ledger, seq), _LEARNED: np.array([place, _number_of(labels, place)], np.int64)}
    arrays = {**state.arrays(), **marks}
    snapshots.save(policy.state_key, seq, arrays)
    return sum(array.nbytes for array in arrays.values())


def _observe(state: State, records: list[Record], learned: list[Learned]) -> None:
    rows = rows_before(learned, [record.seq for record in records])
    observe(state, Batch.of([record.transaction for record in records]), labelled_of(learned), rows)


def _ends_on_ours(
    ledger: Ledger, labels: LearnedLabels | None, seq: int, arrays: Mapping[str, Array]
) -> bool:
    """Whether a snapshot is of this history: that of a restored or emptied store would be a wrong state."""
    last = arrays.get(_LAST)
    if last is None or len(last) == 0 or not np.array_equal(last, _id_of(ledger, seq)):
        return False
    place = _place_in(arrays)
    return place == 0 or int(arrays[_LEARNED][1]) == _number_of(labels, place)


def _place_in(arrays: Mapping[str, Array]) -> int:
    """A snapshot of before there were labels has learned none."""
    return int(arrays[_LEARNED][0]) if _LEARNED in arrays else 0


def _id_of(ledger: Ledger, seq: int) -> Array:
    records = next(iter(ledger.history(seq - 1)), [])
    transaction_id = records[0].transaction.transaction_id if records and records[0].seq == seq else ""
    return np.frombuffer(transaction_id.encode(), np.uint8)


def _number_of(labels: LearnedLabels | None, place: int) -> int:
    """Which label was learned there; 0 for none."""
    learned = labels.learned(place - 1, 1) if labels is not None and place else []
    return learned[0].label.number if learned else 0
