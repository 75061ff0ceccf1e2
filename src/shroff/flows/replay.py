"""Making a stored decision again, from history, and comparing it byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from shroff.codec import decision_members, encode
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import Decision, decide
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.learn import Relearning, labelled_of, rows_before
from shroff.ports import LearnedLabels, Ledger, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A stored decision beside the one made again."""

    stored: Decision
    again: Decision
    observed: int
    """How many earlier transactions of its entities were observed again."""
    names: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both are equal to the byte, features included."""
        return not self.differences()

    def differences(self) -> list[str]:
        """The names of the members and features that differ."""
        if len(self.stored.snapshot) != len(self.again.snapshot):
            return ["features"]
        stored, again = (decision_members(each, self.names) for each in (self.stored, self.again))
        was, now = stored.pop("features"), again.pop("features")
        found = [name for name in stored if encode(stored[name]) != encode(again[name])]
        found += [f"features.{name}" for name in self.names if encode(was[name]) != encode(now[name])]
        return found or ["features"] * (self.stored.snapshot != self.again.snapshot)


def replay(
    record: Record,
    policy: Policy,
    ledger: Ledger,
    labels: LearnedLabels | None = None,
    *,
    in_order: bool = True,
) -> Replayed:
    """Decide a record again: features from the history of its entities before it, lists as they were then,
    and of the labels what had been learned.

    `in_order` says that history comes in the order of `seq`, so that it need not be read to its end.
    """
    batch = Batch.of([record.transaction])
    state, observed = policy.empty_state(), 0
    parts = _related(record, _keys(record, batch, policy, labels), ledger, in_order=in_order)
    learning = _Learning(Relearning(labels))
    for part in parts if in_order else _observed(parts):
        learning.observe(state, part)
        observed += len(part)
    snapshots = np.hstack([learning.observe(state, [record]), _lists_then(record, policy)])
    again = decide(policy, batch, snapshots, record.decision.decided_at)[0]
    return Replayed(stored=record.decision, again=again, observed=observed, names=policy.snapshot_names)


@dataclass(slots=True)
class _Learning:
    """Labels of the transactions that are observed again, each learned where it was."""

    relearning: Relearning
    known: set[str] = field(default_factory=set)

    def observe(self, state: State, records: list[Record]) -> Array:
        """Features [n, f] of records, with what was learned up to the last of them."""
        batch = Batch.of([each.transaction for each in records])
        self.known |= set(batch.transaction_id)
        learned = [
            each for each in self.relearning.until(records[-1].seq if records else 0)
            if each.label.transaction_id in self.known
        ]  # fmt: skip
        rows = rows_before(learned, [each.seq for each in records])
        return observe(state, batch, labelled_of(learned), rows)


def _lists_then(record: Record, policy: Policy) -> Array:
    """List hits [1, lists] as the record has them; a damaged snapshot has none."""
    hits = np.zeros(len(policy.lists))
    if len(record.decision.snapshot) == 8 * len(policy.snapshot_names):
        first = len(policy.feature_names)
        hits[:] = np.frombuffer(record.decision.snapshot, "<f8")[first : first + len(hits)]
    return hits[None]


def _observed(parts: Iterable[list[Record]]) -> Iterator[list[Record]]:
    """The same records as they were observed: of those that share an entity, no two have the same `seq`."""
    records = [record for part in parts for record in part]
    yield sorted(records, key=lambda each: (each.seq, each.transaction.transaction_id))


_Keys = dict[tuple[str, ...], set[str]]
"""The fields that identify an entity → those that are meant."""


def _keys(record: Record, batch: Batch, policy: Policy, labels: LearnedLabels | None) -> _Keys:
    """The entities of a record, and the payers by whose habit frauds that they know of were judged."""
    mine: _Keys = {layout.fields: set() for layout in policy.layouts}
    for fields, keys in mine.items():
        keys |= {key for key in batch.keys(fields) if key is not None}
    judges = [layout.fields for layout in policy.layouts if layout.judges]
    if not judges:
        return mine
    own = {fields: frozenset(keys) for fields, keys in mine.items()}
    for learned in Relearning(labels).until(record.seq):
        labelled = Batch.of([learned.transaction])
        if any(labelled.keys(fields)[0] in keys for fields, keys in own.items()):
            for fields in judges:
                mine[fields] |= {key for key in labelled.keys(fields) if key is not None}
    return mine


def _related(record: Record, mine: _Keys, ledger: Ledger, *, in_order: bool) -> Iterator[list[Record]]:
    """Earlier records of these entities, in the order of history."""
    for part in ledger.history():
        earlier = [each for each in part if each.seq < record.seq]
        columns = Batch.of([each.transaction for each in earlier])
        shares = np.zeros(len(earlier), bool)
        for fields, keys in mine.items():
            shares |= np.array([key in keys for key in columns.keys(fields)], bool)
        if shares.any():
            yield [earlier[row] for row in np.flatnonzero(shares)]
        if in_order and len(earlier) < len(part):
            return
