"""Champion and challengers side by side, over what was decided while both scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy import MODEL, OUTCOMES, ModelPlan, Policy
from shroff.core.scores import outcomes_by
from shroff.ports import Ledger, Record

PolicyOf = Callable[[str], Policy | None]

UNEXPLAINED, EXPLAINED = "unexplained", "explained"
"""What a score leads to under a policy without thresholds for it."""
_MILD = {OUTCOMES[0], UNEXPLAINED}
_MILLION = 1_000_000


@dataclass(slots=True)
class Comparison:
    """How a model scored beside a champion; where it is the champion, beside itself."""

    version: str
    champion: str
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what the champion's score leads to, what its own leads to) → transactions."""
    score_sum: int = 0
    """In millionths, as decisions keep scores: whole numbers are the same in whatever order they add up."""
    champion_sum: int = 0

    def add(self, own: Array, champion: Array, policy: Policy) -> None:
        """Count transactions by both scores [n]."""
        assert policy.model is not None  # noqa: S101  # it has a champion
        names = OUTCOMES if policy.model.thresholds else (UNEXPLAINED, EXPLAINED)
        mine, its = led_to(policy.model, own), led_to(policy.model, champion)
        cells = np.bincount(its * len(names) + mine, minlength=len(names) ** 2)
        for cell in np.flatnonzero(cells).tolist():
            self.pairs[names[cell // len(names)], names[cell % len(names)]] += int(cells[cell])
        self.score_sum += _millionths(own)
        self.champion_sum += _millionths(champion)

    @property
    def transactions(self) -> int:
        """How many both scored."""
        return self.pairs.total()

    def members(self) -> dict[str, Any]:
        """The comparison as its JSON members; None for what nothing can be said of."""
        n = self.transactions

        def mean(total: float) -> float | None:
            return round(total / n, 6) if n else None

        return {
            "champion": self.champion,
            "transactions": n,
            "agreement": mean(sum(count for (its, mine), count in self.pairs.items() if its == mine)),
            "mean_score": mean(self.score_sum / _MILLION),
            "champion_mean_score": mean(self.champion_sum / _MILLION),
            "alerted": sum(count for (_, mine), count in self.pairs.items() if mine not in _MILD),
            "champion_alerted": sum(count for (its, _), count in self.pairs.items() if its not in _MILD),
        }

    def outcomes(self) -> dict[str, int]:
        """What its own score leads to → transactions, the mildest first."""
        found: Counter[str] = Counter()
        for (_, mine), count in self.pairs.items():
            found[mine] += count
        return {name: found[name] for name in (UNEXPLAINED, EXPLAINED, *OUTCOMES) if found[name]}

    def differences(self) -> list[dict[str, Any]]:
        """Where the two lead to different outcomes, the most frequent first."""
        ranked = sorted(self.pairs.items(), key=lambda pair: (-pair[1], pair[0]))
        return [
            {"champion": its, "model": mine, "transactions": n} for (its, mine), n in ranked if its != mine
        ]


class Comparisons:
    """Every model beside the champion with which it scored, counted in any parts."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Comparison] = {}
        """(champion, version) → the two side by side."""

    def add(self, policy: Policy, scores: Array) -> None:
        """Count the scores [n, models] of transactions that this policy decided."""
        assert policy.model is not None  # noqa: S101  # it has scores
        champion = policy.model.version
        for at, version in enumerate(policy.model.versions):
            pair = self.found.setdefault((champion, version), Comparison(version=version, champion=champion))
            pair.add(scores[:, at], scores[:, 0], policy)

    def members(self) -> list[dict[str, Any]]:
        """All that was counted as plain JSON values."""
        return [
            {"champion": each.champion, "version": each.version, "sums": [each.score_sum, each.champion_sum],
             "pairs": [[*names, count] for names, count in sorted(each.pairs.items())]}
            for _, each in sorted(self.found.items())
        ]  # fmt: skip

    @classmethod
    def of(cls, members: Sequence[Mapping[str, Any]]) -> Comparisons:
        """The comparisons that gave these members."""
        made = cls()
        for each in members:
            pairs = Counter({(its, mine): count for its, mine, count in each["pairs"]})
            made.found[each["champion"], each["version"]] = Comparison(
                each["version"], each["champion"], pairs, *each["sums"]
            )
        return made


def compare(version: str, policy_of: PolicyOf, ledger: Ledger, start: int, end: int) -> list[Comparison]:
    """A model beside each champion with which it scored, over start <= occurred_at < end in ms."""
    compared = Comparisons()
    for records in ledger.between(start, end):
        for policy, some in by_policy(records, policy_of):
            if policy.model is not None and version in policy.model.versions:
                compared.add(policy, scores_kept(policy, some))
    return [pair for (_, model), pair in sorted(compared.found.items()) if model == version]


def by_policy(records: Sequence[Record], policy_of: PolicyOf) -> Iterator[tuple[Policy, list[Record]]]:
    """Records by the policy that decided them, those whose snapshot is whole, where it is known."""
    for policy_version in sorted({each.decision.policy_version for each in records}):
        policy = policy_of(policy_version)
        if policy is None:
            continue
        size = 8 * len(policy.snapshot_names)
        some = [each for each in records if each.decision.policy_version == policy_version]
        whole = [each for each in some if len(each.decision.snapshot) == size]
        if whole:
            yield policy, whole


def snapshots_of(policy: Policy, records: Sequence[Record]) -> Array:
    """What the decisions of this policy were made from [n, snapshot_names]."""
    joined = b"".join(each.decision.snapshot for each in records)
    return np.frombuffer(joined, "<f8").reshape(len(records), len(policy.snapshot_names))


def scores_kept(policy: Policy, records: Sequence[Record]) -> Array:
    """The models' scores [n, models] as they are stored, the champion's first."""
    assert policy.model is not None  # noqa: S101  # it has scores
    return snapshots_of(policy, records)[:, policy.snapshot_names.index(f"{MODEL}.{policy.model.version}") :]


def led_to(plan: ModelPlan, scores: Array) -> Array:
    """What scores lead to [n]: an outcome, or where the policy gives them none, that they are explained."""
    return outcomes_by(plan, scores) if plan.thresholds else (scores >= plan.reasons_from).astype(np.int8)


def _millionths(scores: Array) -> int:
    return int(np.round(scores * _MILLION).astype(np.int64).sum())
