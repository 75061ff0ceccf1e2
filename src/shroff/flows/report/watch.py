"""What a day's decisions were made of, kept beside its report so that later days have something to go by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from shroff.core.compiled import Array
from shroff.core.drift import Histograms
from shroff.core.expression import Kind
from shroff.core.money import DECIMALS
from shroff.core.policy import MODEL, SCORE, Policy
from shroff.core.report import Exchange
from shroff.flows.compare import Comparisons, PolicyOf, by_policy, scores_kept, snapshots_of
from shroff.flows.figures import FORMAT, WATCH
from shroff.ports import Record, Reports

REMEMBERED = 28
"""Days before a day by which it is judged: four whole weeks, so that each weekday counts alike."""

_OF_ALL = ("amount", SCORE)
_NO_RULES = {MODEL, SCORE}
"""What reasons name where no rule alone led to an outcome."""


class Watch:
    """A day's values in bins, its models side by side, its rules' hits; counted in any parts."""

    def __init__(self, exchange: Exchange, policy_of: PolicyOf) -> None:
        self._exchange, self._policy_of = exchange, policy_of
        self.histograms = Histograms()
        """Of the snapshots, the attributes that are numbers, `amount` in the base currency, and `score`."""
        self.models = Comparisons()
        self.rules: Counter[str] = Counter()
        """Rule → hits; of each policy that decided, also the rules that hit nothing."""
        self.transactions = 0
        self.policies: set[str] = set()

    def add(self, records: Sequence[Record]) -> None:
        """Count decided transactions, which the day's tally has counted already: it settles their rates."""
        if not records:
            return
        self.transactions += len(records)
        self.histograms.add(_OF_ALL, np.array([[self._amount(r), r.decision.score] for r in records]))
        for reasons in filter(None, (record.decision.reasons for record in records)):
            self.rules.update({reason.rule for reason in reasons} - _NO_RULES)
        self._name({record.decision.policy_version for record in records} - self.policies)
        for policy, some in by_policy(records, self._policy_of):
            names, told = _told(policy, some)
            if names:
                self.histograms.add(names, np.hstack([snapshots_of(policy, some), told]))
            if policy.model is not None:
                self.models.add(policy, scores_kept(policy, some))

    def members(self) -> dict[str, Any]:
        """All that was counted as plain JSON values, the same in whatever parts it was counted."""
        return {
            "transactions": self.transactions,
            "histograms": self.histograms.members(),
            "models": self.models.members(),
            "rules": dict(sorted(self.rules.items())),
            "policies": sorted(self.policies),
        }

    @classmethod
    def of(cls, members: Mapping[str, Any], exchange: Exchange, policy_of: PolicyOf) -> Watch:
        """The watch that gave these members, to be counted on with."""
        made = cls(exchange, policy_of)
        made.transactions = members["transactions"]
        made.histograms = Histograms.of(members["histograms"])
        made.models = Comparisons.of(members["models"])
        made.rules = Counter(members["rules"])
        made.policies = set(members["policies"])
        return made

    def _name(self, versions: set[str]) -> None:
        """The rules of these policies, whether they hit or not."""
        self.policies |= versions
        for policy in filter(None, map(self._policy_of, versions)):
            self.rules.update(dict.fromkeys((rule.name for rule in policy.rules), 0))

    def _amount(self, record: Record) -> float:
        minor = self._exchange.in_base(record.transaction, record.decision.policy_version)
        if minor is None or self._exchange.base is None:
            return np.nan
        return float(minor / 10 ** DECIMALS[self._exchange.base])


def _told(policy: Policy, records: Sequence[Record]) -> tuple[tuple[str, ...], Array]:
    """The columns of snapshots and of the numbers that transactions bring, and the latter [n, ...]."""
    numbers = [name for name, kind in policy.attributes.items() if kind is not Kind.TEXT]
    table = np.array([[_number(r.transaction.attributes, name) for name in numbers] for r in records])
    names = (*policy.snapshot_names, *(f"attributes.{name}" for name in numbers))
    return names, table.reshape(len(records), len(numbers))


def _number(attributes: Mapping[str, Any] | None, name: str) -> float:
    value = None if attributes is None else attributes.get(name)
    return float(value) if isinstance(value, int | float) else np.nan


def remembered(reports: Reports, day: date) -> dict[date, dict[str, Any]]:
    """What was kept of the days before a day, as far as they were reported, the earliest first."""
    found = {}
    for back in range(REMEMBERED, 0, -1):
        at = day - timedelta(days=back)
        kept = reports.read(at.isoformat(), WATCH)
        if kept is not None and (members := json.loads(kept))["format"] == FORMAT:
            found[at] = members
    return found


def encoded(members: Mapping[str, Any]) -> bytes:
    """What is kept of a day, as bytes."""
    return json.dumps(members, separators=(",", ":")).encode()
