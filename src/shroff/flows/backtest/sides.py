"""The two sides of a backtest: decisions made again by a policy, and decisions as they are stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Protocol

import numpy as np

from shroff.core.alert import Alert, raise_alerts
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import Decision, decide, snapshot
from shroff.core.errors import Rejected
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.state import State
from shroff.flows.detect import listed
from shroff.flows.learn import InTime, Relearning, labelled_of, rows_before
from shroff.ports import LearnedLabels, Lists, Policies, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some records of history that are to be decided again."""

    records: Sequence[Record]
    batch: Batch
    features: Mapping[str, Array]
    """State key → features [n, f]."""


class Side(Protocol):
    """One of the two that are compared."""

    name: str
    policy: Policy
    """By which it decides; of what is stored, the one in force."""

    @property
    def untold(self) -> Mapping[str, int]:
        """Policy version that cannot be read → decisions of which nobody can tell what alerts they raised."""

    def decisions(self, stretch: Stretch) -> list[Decision]:
        """One decision a record."""

    def alerts(self, stretch: Stretch, decisions: Sequence[Decision]) -> list[Alert]:
        """The alerts of these decisions, those with the same id merged."""


class States:
    """What is remembered of the entities, once for all policies with the same windows."""

    def __init__(
        self, policies: Sequence[Policy], learned: LearnedLabels | None = None, *, in_order: bool = True
    ) -> None:
        self._states: dict[str, State] = {policy.state_key: policy.empty_state() for policy in policies}
        self._learning = Relearning(learned if in_order or learned is None else InTime(learned))
        self._in_order = in_order

    def observe(self, records: Sequence[Record], batch: Batch) -> dict[str, Array]:
        """State key → features [n, f] of records that every state moves past, learning what was learned."""
        places = [each.seq if self._in_order else each.transaction.occurred_at for each in records]
        learned = list(self._learning.until(places[-1]))
        if not learned:
            return {key: observe(state, batch) for key, state in self._states.items()}
        labelled, rows = labelled_of(learned), rows_before(learned, places)
        return {key: observe(state, batch, labelled, rows) for key, state in self._states.items()}


class Known:
    """The policies of stored decisions, each read once."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._read: dict[str, Policy | None] = {}

    def of(self, version: str) -> Policy | None:
        """The policy of a version; None where it is not on record, or was written by a newer Shroff."""
        if version not in self._read:
            published = self._policies.get(version)
            try:
                self._read[version] = None if published is None else read_policy(published.document)
            except Rejected:
                self._read[version] = None
        return self._read[version]


@dataclass(slots=True)
class ListHits:
    """Who was on the lists: as a stored decision has it, or, where it has not, as it is now."""

    lists: Lists
    known: Known
    now: int
    asked: Counter[str] = field(default_factory=Counter)
    """List → transactions for which it was looked up as it is now."""

    def of(self, policy: Policy, stretch: Stretch) -> dict[str, Array]:
        """Which rows are on each of the policy's lists: list → [n] bool."""
        if not policy.lists:
            return {}
        size = len(stretch.records)
        found = {name: np.zeros(size, bool) for name in policy.lists}
        unknown = {name: np.ones(size, bool) for name in policy.lists}
        for version, rows in _by_version(stretch.records).items():
            self._stored(version, rows, policy, stretch.records, found, unknown)
        if any(rows.any() for rows in unknown.values()):
            present = listed(policy, stretch.batch, self.lists, self.now)
            for name, rows in unknown.items():
                found[name] = np.where(rows, present[name], found[name])
                self.asked[name] += int(rows.sum())
        return found

    def _stored(
        self,
        version: str,
        rows: Array,
        policy: Policy,
        records: Sequence[Record],
        found: Mapping[str, Array],
        unknown: Mapping[str, Array],
    ) -> None:
        """Take over what the snapshots of one policy's decisions say."""
        then = self.known.of(version)
        shared = [] if then is None else [n for n in policy.lists if then.lists.get(n) == policy.lists[n]]
        if then is None or not shared:
            return
        whole = [len(records[row].decision.snapshot) == 8 * len(then.snapshot_names) for row in rows]
        sound = rows[np.array(whole, bool)]
        joined = b"".join(records[row].decision.snapshot for row in sound)
        snapshots = np.frombuffer(joined, "<f8").reshape(len(sound), len(then.snapshot_names))
        for name in shared:
            found[name][sound] = snapshots[:, then.snapshot_names.index(f"list.{name}")] != 0
            unknown[name][sound] = False


@dataclass(slots=True, kw_only=True)
class MadeAgain:
    """What a policy would have decided."""

    name: str
    policy: Policy
    lists: ListHits
    untold: Mapping[str, int] = field(default_factory=dict)

    def decisions(self, stretch: Stretch) -> list[Decision]:
        """One decision a record, from the features of history before it."""
        features = stretch.features[self.policy.state_key]
        snapshots = snapshot(features, self.lists.of(self.policy, stretch))
        return decide(self.policy, stretch.batch, snapshots, 0)

    def alerts(self, stretch: Stretch, decisions: Sequence[Decision]) -> list[Alert]:
        """The alerts of these decisions."""
        return _alerts(self.policy, stretch.records, decisions)


@dataclass(slots=True, kw_only=True)
class AsStored:
    """What was decided, whatever policy was in force then."""

    name: str
    policy: Policy
    known: Known
    untold: Counter[str] = field(default_factory=Counter)
    """Policy version that cannot be read → decisions of which nobody can tell what alerts they raised."""

    def decisions(self, stretch: Stretch) -> list[Decision]:
        """The stored ones."""
        return [record.decision for record in stretch.records]

    def alerts(self, stretch: Stretch, decisions: Sequence[Decision]) -> list[Alert]:
        """The alerts of these decisions, each by the policy of its time."""
        found: list[Alert] = []
        for version, rows in _by_version(stretch.records).items():
            policy = self.known.of(version)
            if policy is None:
                self.untold[version] += len(rows)
                continue
            found += _alerts(policy, [stretch.records[r] for r in rows], [decisions[r] for r in rows])
        return found


def _alerts(policy: Policy, records: Sequence[Record], decisions: Sequence[Decision]) -> list[Alert]:
    """Only what has a reason can raise an alert, and that is little."""
    reasoned = [bool(decision.reasons) for decision in decisions]
    batch = Batch.of([record.transaction for record in compress(records, reasoned)])
    return raise_alerts(policy, batch, list(compress(decisions, reasoned)), 0)


def _by_version(records: Sequence[Record]) -> dict[str, Array]:
    """Policy version → the rows that were decided by it."""
    rows: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        rows.setdefault(record.decision.policy_version, []).append(row)
    return {version: np.array(each, np.int64) for version, each in rows.items()}
