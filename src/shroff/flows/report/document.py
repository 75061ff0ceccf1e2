"""The report as one document of plain values: what the JSON file holds, and what the page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.policy import OUTCOMES
from shroff.core.report import Activity, Amounts, Tally, from_sweep
from shroff.flows.audit import Audit
from shroff.flows.report.change import changes, ratio
from shroff.flows.report.findings import MOST_TOP, alerted, alerts, dead_letters, ranked_counts, sweep
from shroff.flows.report.look import Look
from shroff.flows.report.words import summary
from shroff.ports import DeadLetter

ALL_MERCHANTS, MOST_MERCHANTS = 10_000, 1_000
"""All merchants are listed up to the first number; beyond it the second number of them, the rest as one."""
_DAY = 86_400_000

UNITS = (
    "Sums are exact, in whole units of the named currency, which is the base currency where none is named."
    " Amounts in other currencies count at the rate of the policy that decided them; those without a rate are"
    " counted, and left out of sums and means. Means are rounded half to even at six decimals. Times are UTC."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All that is known of one day."""

    start: int
    tally: Tally
    alerts: Sequence[Alert]
    dead_letters: Sequence[DeadLetter]


def document(
    today: Day,
    before: Day,
    *,
    base: str | None,
    names: Mapping[str, str | None],
    audit: Audit,
    looked: Look,
) -> dict[str, Any]:
    """The report's content. `base` is the currency of sums, None where neither day has a transaction;
    `names` has the name of each policy version seen today.
    """
    money = _Money(base or "USD")
    tally = today.tally
    past, outcomes = before.tally, _by_outcome(today.tally, money)
    findings = [alert for alert in today.alerts if from_sweep(alert)]
    raised = [alert for alert in today.alerts if not from_sweep(alert)]
    totals, totals_before = _totals(today, money), _totals(before, money)
    content = {
        "date": instant(today.start)[:10],
        "from": instant(today.start),
        "to": instant(today.start + _DAY),
        "currency": base,
        "units": UNITS,
        "totals": totals,
        "by_outcome": outcomes,
        "by_currency": _by_currency(tally),
        "by_hour": _by_hour(today, before, money),
        "by_rule": _by_rule(today, before, raised, money),
        **_by_merchant(tally, money),
        "top_entities": {
            "customers": _top(tally.customers, "customer_id", money),
            "merchants": _top(tally.merchants, "merchant", money),
            "alerted": alerted(raised),
        },
        "alerts": alerts(raised),
        "sweep": sweep(findings),
        "dead_letters": dead_letters(today.dead_letters),
        "audit": audit.members() | {"missing": sorted(audit.missing), "clean": audit.clean},
        "policies": [
            {"version": version, "name": names.get(version), "transactions": count}
            for version, count in ranked_counts(tally.policies)
        ],
        **looked.members(),
        "change": {
            "since": instant(before.start)[:10],
            "totals": changes(totals, totals_before),
            "by_outcome": {
                name: changes(outcomes[name], earlier) for name, earlier in _by_outcome(past, money).items()
            },
        },
    }
    return {"date": content["date"], "summary": summary(content), **content}


@dataclass(frozen=True, slots=True)
class _Money:
    """Writes amounts as members of the document."""

    currency: str

    def members(self, amounts: Amounts) -> dict[str, Any]:
        return {"count": amounts.count, "sum": amounts.sum(self.currency)}

    def mean(self, amounts: Amounts) -> dict[str, Any]:
        return {"mean": amounts.mean(self.currency)}


def _totals(day: Day, money: _Money) -> dict[str, Any]:
    total, flagged = day.tally.total, day.tally.flagged
    swept = sum(map(from_sweep, day.alerts))
    return {
        **money.members(total),
        **money.mean(total),
        "without_rate": total.count - total.priced,
        "customers": len(day.tally.customers.keys() - {None}),
        "merchants": len(day.tally.merchants.keys() - {None}),
        "flagged": flagged.count,
        "flagged_sum": flagged.sum(money.currency),
        "flagged_share": ratio(flagged.count, total.count),
        "alerts": len(day.alerts) - swept,
        "sweep_findings": swept,
        "dead_letters": len(day.dead_letters),
    }


def _by_outcome(tally: Tally, money: _Money) -> dict[str, dict[str, Any]]:
    total = tally.total.count
    found = {outcome: tally.outcome(outcome) for outcome in OUTCOMES}
    return {
        outcome: {**money.members(each), **money.mean(each), "share": ratio(each.count, total)}
        for outcome, each in found.items()
    }


def _by_currency(tally: Tally) -> list[dict[str, Any]]:
    ranked = sorted(tally.currencies.items(), key=lambda pair: (-pair[1].count, pair[0]))
    return [
        {"currency": currency, **_Money(currency).members(each), **_Money(currency).mean(each)}
        for currency, each in ranked
    ]


def _by_hour(today: Day, before: Day, money: _Money) -> list[dict[str, Any]]:
    return [
        {
            "hour": hour,
            **money.members(today.tally.hour(hour)),
            **{
                outcome: money.members(today.tally.cells.get((hour, outcome), Amounts()))
                for outcome in OUTCOMES
            },
            "count_before": before.tally.hour(hour).count,
        }
        for hour in range(24)
    ]


def _by_rule(today: Day, before: Day, raised: Iterable[Alert], money: _Money) -> list[dict[str, Any]]:
    alerts = Counter(alert.rule for alert in raised)
    ranked = sorted(today.tally.rules.items(), key=lambda pair: (-pair[1].amounts.count, pair[0]))
    past = before.tally.rules
    return [
        {
            "rule": rule,
            "outcome": hits.outcome,
            "hits": hits.amounts.count,
            "sum": hits.amounts.sum(money.currency),
            "alerts": alerts[rule],
            "hits_before": past[rule].amounts.count if rule in past else 0,
            "example": hits.example,
        }
        for rule, hits in ranked
    ]


def _activity(activity: Activity, money: _Money) -> dict[str, Any]:
    flagged = activity.flagged
    return {
        **money.members(activity.all),
        "flagged": flagged.count,
        "flagged_sum": flagged.sum(money.currency),
    }


def _by_merchant(tally: Tally, money: _Money) -> dict[str, Any]:
    ranked = sorted(tally.merchants.items(), key=lambda pair: (-pair[1].all.minor, *_name_order(pair[0])))
    most = len(ranked) if len(ranked) <= ALL_MERCHANTS else MOST_MERCHANTS
    rest = Amounts()
    for _, activity in ranked[most:]:
        rest = rest.plus(activity.all)
    return {
        "by_merchant": [{"merchant": name, **_activity(each, money)} for name, each in ranked[:most]],
        "other_merchants": {"merchants": len(ranked) - most, **money.members(rest)},
    }


def _top(entities: Mapping[str | None, Activity], name: str, money: _Money) -> list[dict[str, Any]]:
    """Where the most money was flagged; only what was flagged at all."""
    flagged = [(key, each) for key, each in entities.items() if key is not None and each.flagged.count]
    flagged.sort(key=lambda pair: (-pair[1].flagged.minor, -pair[1].flagged.count, pair[0]))
    return [{name: key, **_activity(each, money)} for key, each in flagged[:MOST_TOP]]


def _name_order(name: str | None) -> tuple[bool, str]:
    return name is None, name or ""
