"""The transactions on which the two sides of a backtest differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shroff.codec import instant
from shroff.core.backtest import FRAUD, LEGITIMATE
from shroff.core.decision import Decision
from shroff.core.money import to_text
from shroff.ports import Record

ASPECTS = ("outcome", "score", "reasons", "features")
"""In what two decisions can differ; features only where one policy made both, since others have others."""

Write = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A transaction that the two decide differently, in one aspect or several."""

    record: Record
    against: Decision
    policy: Decision
    aspects: tuple[str, ...]
    label: int

    def members(self) -> dict[str, Any]:
        """As a JSON object; nothing that identifies a card or a device."""
        transaction = self.record.transaction
        return {
            "transaction_id": transaction.transaction_id,
            "occurred_at": instant(transaction.occurred_at),
            "customer_id": transaction.customer_id,
            "amount": to_text(transaction.amount_minor, transaction.currency),
            "currency": transaction.currency,
            "label": {FRAUD: "fraud", LEGITIMATE: "legitimate"}.get(self.label),
            "differs": list(self.aspects),
            "against": _decision_members(self.against),
            "policy": _decision_members(self.policy),
        }


@dataclass(slots=True, kw_only=True)
class Differences:
    """How many there are, and the first of them: those of the outcome before all others."""

    shown: int
    write: Write | None = None
    """Takes every one of them, as they come."""
    total: int = 0
    by_aspect: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(outcome of the one, outcome of the other) → transactions whose outcome differs."""
    _outcomes: list[Difference] = field(default_factory=list)
    _others: list[Difference] = field(default_factory=list)

    def compare(
        self,
        records: Sequence[Record],
        against: Sequence[Decision],
        policy: Sequence[Decision],
        labels: Sequence[int],
    ) -> None:
        """Look at two decisions a record."""
        for record, one, other, label in zip(records, against, policy, labels, strict=True):
            aspects = aspects_of(one, other)
            if aspects:
                self._keep(Difference(record=record, against=one, policy=other, aspects=aspects, label=label))

    def first(self) -> list[Difference]:
        """At most `shown`."""
        return [*self._outcomes, *self._others][: self.shown]

    def _keep(self, found: Difference) -> None:
        self.total += 1
        self.by_aspect.update(found.aspects)
        differ = "outcome" in found.aspects
        if differ:
            self.moves[found.against.outcome, found.policy.outcome] += 1
        kept = self._outcomes if differ else self._others
        if len(kept) < self.shown:
            kept.append(found)
        if self.write is not None:
            self.write(found.members())


def aspects_of(one: Decision, other: Decision) -> tuple[str, ...]:
    """In what two decisions on one transaction differ."""
    same = (
        one.outcome == other.outcome,
        one.score == other.score,
        one.reasons == other.reasons,
        one.policy_version != other.policy_version or one.snapshot == other.snapshot,
    )
    return () if all(same) else tuple(a for a, equal in zip(ASPECTS, same, strict=True) if not equal)


def _decision_members(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "score": decision.score,
        "reasons": [msgspec.to_builtins(reason) for reason in decision.reasons],
    }
