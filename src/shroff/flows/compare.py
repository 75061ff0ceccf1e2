"""Champion and challengers side by side, over what was decided while both scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy import MODEL, ModelPlan, Policy
from shroff.core.scores import outcomes_by
from shroff.ports import Ledger, Record

PolicyOf = Callable[[str], Policy | None]


@dataclass(slots=True)
class Comparison:
    """How a model scored beside a champion; where it is the champion, beside itself."""

    version: str
    champion: str
    transactions: int = 0
    agreeing: int = 0
    """How often both scores lead to the same outcome."""
    above: int = 0
    """How often its score alone leads to more than an approval."""
    champion_above: int = 0
    score_sum: float = 0.0
    champion_sum: float = 0.0

    def add(self, own: Array, champion: Array, policy: Policy) -> None:
        """Count transactions by both scores [n]."""
        assert policy.model is not None  # noqa: S101  # it has a champion
        mine, its = _led_to(policy.model, own), _led_to(policy.model, champion)
        self.transactions += len(own)
        self.agreeing += int(np.count_nonzero(mine == its))
        self.above += int(np.count_nonzero(mine))
        self.champion_above += int(np.count_nonzero(its))
        self.score_sum += float(own.sum())
        self.champion_sum += float(champion.sum())

    def members(self) -> dict[str, Any]:
        """The comparison as its JSON members; None for what nothing can be said of."""
        n = self.transactions

        def mean(total: float) -> float | None:
            return round(total / n, 6) if n else None

        return {
            "champion": self.champion,
            "transactions": n,
            "agreement": mean(self.agreeing),
            "mean_score": mean(self.score_sum),
            "champion_mean_score": mean(self.champion_sum),
            "alerted": self.above,
            "champion_alerted": self.champion_above,
        }


def compare(version: str, policy_of: PolicyOf, ledger: Ledger, start: int, end: int) -> list[Comparison]:
    """A model beside each champion with which it scored, over start <= occurred_at < end in ms."""
    found: dict[str, Comparison] = {}
    for records in ledger.between(start, end):
        for policy_version in sorted({each.decision.policy_version for each in records}):
            policy = policy_of(policy_version)
            if policy is None or policy.model is None or version not in policy.model.versions:
                continue
            champion = policy.model.version
            some = [each for each in records if each.decision.policy_version == policy_version]
            scores = _scores(policy, some)
            pair = found.setdefault(champion, Comparison(version=version, champion=champion))
            pair.add(scores[:, policy.model.versions.index(version)], scores[:, 0], policy)
    return [found[champion] for champion in sorted(found)]


def _led_to(plan: ModelPlan, scores: Array) -> Array:
    """What scores lead to: an outcome, or where the policy gives them none, that they are explained."""
    return outcomes_by(plan, scores) if plan.thresholds else scores >= plan.reasons_from


def _scores(policy: Policy, records: list[Record]) -> Array:
    """The models' scores [n, models] as they are stored."""
    width = len(policy.snapshot_names)
    first = policy.snapshot_names.index(f"{MODEL}.{policy.model.version}") if policy.model else width
    whole = [each.decision.snapshot for each in records if len(each.decision.snapshot) == 8 * width]
    return np.frombuffer(b"".join(whole), "<f8").reshape(len(whole), width)[:, first:]
