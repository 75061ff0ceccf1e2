"""What was caught of what was planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shroff.core.policy import OUTCOMES
from shroff.ports import Record

FLAGGED = frozenset(OUTCOMES[2:])
"""The outcomes that stop a payment: review and decline."""


@dataclass(slots=True, kw_only=True)
class Line:
    """One typology: what was planted and what was stopped; money in minor units, all currencies alike."""

    planted: int = 0
    caught: int = 0
    challenged: int = 0
    money_planted: int = 0
    money_caught: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Precision, recall and money of everything that was decided, by typology."""

    lines: dict[str, Line]
    flagged: int
    honest: int
    """Transactions without fraud."""
    honest_flagged: int

    @property
    def total(self) -> Line:
        """All typologies together."""
        lines = self.lines.values()
        return Line(
            planted=sum(each.planted for each in lines),
            caught=sum(each.caught for each in lines),
            challenged=sum(each.challenged for each in lines),
            money_planted=sum(each.money_planted for each in lines),
            money_caught=sum(each.money_caught for each in lines),
        )

    @property
    def precision(self) -> float:
        """Share of what was stopped that was fraud; 0 where nothing was stopped."""
        return self.total.caught / self.flagged if self.flagged else 0.0

    @property
    def recall(self) -> float:
        """Share of the planted fraud that was stopped; 0 where none was planted."""
        return self.total.caught / self.total.planted if self.total.planted else 0.0


def score(records: Iterable[Record], truth: dict[str, str | None]) -> Score:
    """Hold decisions against the planted truth: transaction_id → typology, None for honest ones."""
    lines: dict[str, Line] = {}
    flagged = honest = honest_flagged = 0
    for record in records:
        transaction, outcome = record.transaction, record.decision.outcome
        if transaction.transaction_id not in truth:
            continue
        typology = truth[transaction.transaction_id]
        stopped = outcome in FLAGGED
        flagged += stopped
        if typology is None:
            honest += 1
            honest_flagged += stopped
            continue
        line = lines.setdefault(typology, Line())
        line.planted += 1
        line.money_planted += transaction.amount_minor
        line.challenged += outcome == "challenge"
        line.caught += stopped
        line.money_caught += transaction.amount_minor if stopped else 0
    return Score(
        lines=dict(sorted(lines.items())), flagged=flagged, honest=honest, honest_flagged=honest_flagged
    )
