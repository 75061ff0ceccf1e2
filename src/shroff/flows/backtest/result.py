"""What a backtest says, as plain members: for JSON, and for the tables of the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shroff.codec import instant
from shroff.core.backtest import FRAUD, LEGITIMATE, MEASURES, SHARES, Estimate, resampled, wilson
from shroff.core.money import to_text
from shroff.core.policy import OUTCOMES
from shroff.flows.backtest.run import Backtested, Count

Estimates = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How the result is to be told."""

    minutes_per_alert: float = 10.0
    seed: int = 7
    """Of the days that are drawn for the intervals."""
    lists_now: Mapping[str, int]
    """List → transactions for which it was looked up as it is now."""
    in_order: bool = True
    """Whether history came in the order in which it was observed."""


def members(found: Backtested, telling: Telling) -> dict[str, Any]:
    """The whole result; what needs labels is null where there are none."""
    seen, currency = found.seen, found.against.side.policy.base_currency
    one, other, change = resampled((found.against.tally, found.policy.tally), telling.seed)
    told = MEASURES if seen.labelled else ("alerts_per_day",)
    return {
        "from": None if seen.first is None else instant(seen.first),
        "to": None if seen.last is None else instant(seen.last),
        "as_of": instant(found.question.as_of),
        "transactions": seen.transactions,
        "days": len(found.against.tally.days),
        "currency": currency,
        "labels": _labels(found) if seen.labelled else None,
        "against": _side(found.against, one, telling, currency, labelled=seen.labelled),
        "policy": _side(found.policy, other, telling, currency, labelled=seen.labelled),
        "change": {name: _estimate(change[name]) for name in told},
        "differences": _differences(found),
        "notes": _notes(found, telling),
    }


def _labels(found: Backtested) -> dict[str, int]:
    seen = found.seen
    return {
        "fraud": seen.frauds,
        "legitimate": seen.legitimate,
        "presumed_legitimate": seen.presumed,
        "unknown": seen.transactions - seen.frauds - seen.legitimate,
        "not_yet_known": seen.masked,
    }


def _side(
    count: Count, measures: Estimates, telling: Telling, currency: str, *, labelled: bool
) -> dict[str, Any]:
    tally, hours = count.tally, telling.minutes_per_alert / 60
    counts, values, per_day = tally.counts(), tally.values(), measures["alerts_per_day"]
    return {
        "name": count.side.name,
        "policy_versions": dict(count.versions),
        "outcomes": {
            outcome: {
                "transactions": int(counts[at].sum()),
                "value": to_text(int(values[at].sum()), currency),
            }
            for at, outcome in enumerate(OUTCOMES)
        },
        "alerts": tally.alerts(),
        "alerts_per_day": _estimate(per_day),
        "analyst_hours_per_day": _estimate(_times(per_day, hours)),
        "analyst_hours": round(tally.alerts() * hours, 2),
        "rules": {rule: _rule(hits, labelled=labelled) for rule, hits in _rules(count).items()},
        "quality": _quality(count, measures, currency) if labelled else None,
    }


def _rules(count: Count) -> dict[str, Any]:
    """Hits by rule: in the order of the policy, those that never hit too, then what only is stored."""
    policy = count.side.policy
    named = [rule.name for rule in policy.rules] if policy.version in count.versions else []
    return {rule: count.rules.get(rule) for rule in dict.fromkeys([*named, *sorted(count.rules)])}


def _rule(hits: Any, *, labelled: bool) -> dict[str, Any]:
    by_label = [0, 0, 0] if hits is None else hits.tolist()
    if not labelled:
        return {"hits": sum(by_label)}
    share = wilson(by_label[FRAUD], by_label[FRAUD] + by_label[LEGITIMATE])
    return {"hits": sum(by_label), "fraud": by_label[FRAUD], "precision": _estimate(share)}


def _quality(count: Count, measures: Estimates, currency: str) -> dict[str, Any]:
    """What was caught and missed, and whom it stood in the way of."""
    tally = count.tally
    counts, values, level = tally.counts(), tally.values(), tally.caught_from
    caught, missed = values[level:, FRAUD].sum(), values[:level, FRAUD].sum()
    shares = {**measures, **tally.estimates()}
    return {
        "caught_from": OUTCOMES[level],
        "fraud_caught": int(counts[level:, FRAUD].sum()),
        "fraud_missed": int(counts[:level, FRAUD].sum()),
        **{name: _estimate(shares[name]) for name in SHARES},
        "value_caught": to_text(int(caught), currency),
        "value_missed": to_text(int(missed), currency),
        "friction": {
            outcome: {
                "transactions": int(counts[at, LEGITIMATE]),
                "value": to_text(int(values[at, LEGITIMATE]), currency),
            }
            for at, outcome in enumerate(OUTCOMES)
            if at > 0
        },
    }


def _differences(found: Backtested) -> dict[str, Any]:
    differences = found.differences
    return {
        "transactions": differences.total,
        "in": {aspect: differences.by_aspect[aspect] for aspect in sorted(differences.by_aspect)},
        "outcomes": [
            {"against": before, "policy": after, "transactions": many}
            for (before, after), many in differences.moves.most_common()
        ],
        "first": [each.members() for each in differences.first()],
    }


def _notes(found: Backtested, telling: Telling) -> list[str]:
    """What one has to know to read the figures."""
    notes = []
    seen = found.seen
    if not seen.labelled:
        later = f"; {seen.masked} are of later" if seen.masked else ""
        notes.append(
            f"No labels were known by {instant(found.question.as_of)}{later}: "
            f"precision, recall, money caught and friction are left out"
        )
    for name, many in sorted(telling.lists_now.items()):
        notes.append(
            f"Who was on the list {name} was not stored with {many} of the transactions: "
            f"it was looked up as it is now"
        )
    for count in (found.against, found.policy):
        notes += [
            f"The policy {version} of {many} stored decisions cannot be read: their alerts are not counted"
            for version, many in count.side.untold.items()
        ]
    if seen.unpriced:
        notes.append(f"{seen.unpriced} transactions are in a currency without a rate, and in no sum of money")
    if not telling.in_order:
        notes.append(
            "History was observed in the order of time; where workers met on one entity, "
            "or something came late, the stored decision may have seen a little less or more"
        )
    return notes


def _times(estimate: Estimate, factor: float) -> Estimate:
    values = (estimate.value, estimate.low, estimate.high)
    return Estimate(*(None if each is None else round(each * factor, 6) for each in values))


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
