"""Which thresholds are proposed, chosen on the validation days, and what they come to there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shroff.core.thresholds import REVIEW, Costs, Outlay, cheapest, outlay, within_capacity
from shroff.flows.card import Judged
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.train.asked import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Thresholds with what they were chosen by."""

    scores: Mapping[str, float]
    """Outcome → the least score that leads to it."""
    ask: Ask
    days: float
    """How long they were, as whole days seldom fit the end of history."""
    spent: Outlay
    without: float
    """What all frauds cost where nothing is stopped."""
    busiest: int
    """Cards at or above the lowest threshold on the day that has most of them."""

    def members(self) -> dict[str, Any]:
        """As plain JSON values; costs where there are any."""
        found: dict[str, Any] = {
            "scores": dict(self.scores),
            "review_capacity": self.ask.review_capacity,
            "days": self.days,
            "most_cards_a_day": self.busiest,
            **{name: _plain(value) for name, value in asdict(self.spent).items()},
        }
        if self.ask.costs is None:
            del found["cost"]
            return found
        value = self.ask.fraud_value
        return {
            **found,
            "review_cost": self.ask.costs.review,
            "friction_cost": self.ask.costs.friction,
            "fraud_value": "amount" if value is None else value,
            "cost_without": _plain(self.without),
        }


def chosen_thresholds(judged: Judged, ask: Ask) -> Thresholds | None:
    """The thresholds that are asked for; None where none are."""
    if ask.costs is None and ask.review_capacity is None:
        return None
    least = 0.0
    scores: dict[str, float] = {}
    days = judged.history.batch.occurred_at[judged.every_row] // DAY
    cards = judged.cards[judged.every_row]
    if ask.review_capacity is not None:
        found = within_capacity(days, cards, judged.every_score, ask.review_capacity)
        least = math.inf if found is None else found
        scores = {} if found is None else {REVIEW: found}
    values = _values(judged, ask)
    if ask.costs is not None:
        scores = cheapest(judged.fraud, judged.scores, values, ask.costs, least)
    return Thresholds(
        scores=scores,
        ask=ask,
        days=judged.days,
        spent=outlay(
            judged.fraud, judged.scores, values, ask.costs or Costs(review=0.0, friction=0.0), scores
        ),
        without=float(np.sum(values[judged.fraud])),
        busiest=_busiest(judged, min(scores.values(), default=math.inf)),
    )


def _values(judged: Judged, ask: Ask) -> Any:
    """What each labelled row would cost as a fraud; an amount without a rate costs nothing."""
    if ask.fraud_value is not None:
        return np.full(len(judged.rows), ask.fraud_value)
    return np.nan_to_num(judged.values[judged.rows])


def _busiest(judged: Judged, threshold: float) -> int:
    """The most cards at or above a threshold on one day."""
    above = judged.every_row[judged.every_score >= threshold]
    days = judged.history.batch.occurred_at[above] // DAY
    pairs = np.unique(np.column_stack([days, judged.cards[above]]), axis=0)
    return int(np.unique(pairs[:, 0], return_counts=True)[1].max()) if len(pairs) else 0


def _plain(value: float) -> float:
    return round(value, 2)
