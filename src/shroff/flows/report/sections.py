"""What is to be said of models, drift, rules and calibration: members of the report's document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from shroff.core.drift import GROUPS, Histograms, band, quantile, stability, summary
from shroff.core.policy import MODEL, OUTCOMES, SCORE
from shroff.core.reliability import Judged, came_true
from shroff.core.rule_history import habit
from shroff.flows.compare import Comparison, PolicyOf
from shroff.flows.report.ripen import Group, together
from shroff.flows.report.watch import Watch

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
_ORDER = ("spiking", "silent", "never", "usual", None)
_WEEK = timedelta(days=7)


def models(watch: Watch, policy_of: PolicyOf, ripe: Mapping[date, Group] | None) -> list[dict[str, Any]]:
    """Each champion of the day, then its challengers, beside it."""
    counts = watch.histograms.counts()
    pairs = watch.models.found.values()
    ordered = sorted(pairs, key=lambda each: (each.champion, each.version != each.champion, each.version))
    return [
        {
            "version": each.version,
            "role": "champion" if each.version == each.champion else "challenger",
            **each.members(),
            "outcomes": each.outcomes(),
            "differences": each.differences(),
            "scores": {
                name: _rounded(quantile(counts.get(f"{MODEL}.{each.version}", {}), share))
                for name, share in _QUANTILES.items()
            },
            "thresholds": _thresholds(watch, policy_of, each),
            "labelled": None if ripe is None else labelled(each, ripe),
        }
        for each in ordered
    ]


def drift(watch: Watch, kept: Mapping[date, Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """Each column of the day against the days that were kept, the most shifted first."""
    reference = Histograms()
    for each in kept.values():
        reference.plus(each["histograms"])
    before, now = reference.counts(), watch.histograms.counts()
    columns: list[dict[str, Any]] = []
    for name in sorted(now):
        value = stability(before.get(name, {}), now[name])
        columns.append(
            {
                "name": name,
                "psi": None if value is None else round(value, 6),
                "state": band(value),
                "kind": names.get(name, "feature"),
                "today": summary(now[name]),
                "before": summary(before.get(name, {})),
            }
        )
    columns.sort(key=lambda each: (-(-1 if each["psi"] is None else each["psi"]), each["name"]))
    states = [each["state"] for each in columns]
    return {
        "days": len(kept),
        "transactions_before": sum(each["transactions"] for each in kept.values()),
        "groups": GROUPS,
        "largest": columns[0]["psi"] if columns else None,
        **{state: states.count(state) for state in ("stable", "moving", "shifted")},
        "too_few": states.count(None),
        "columns": columns,
    }


def kinds(watch: Watch) -> dict[str, str]:
    """Column → what it is, where it is no feature."""
    scores = {f"{MODEL}.{version}": "score" for _, version in watch.models.found}
    lists = {name: "list" for name in watch.histograms.counts() if name.startswith("list.")}
    return {SCORE: "score", **scores, **lists}


def rules(watch: Watch, kept: Mapping[date, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each rule of the day's policies against the days that were kept, the strangest first."""
    found: list[dict[str, Any]] = []
    for name, hits in watch.rules.items():
        history = [(day["rules"][name], day["transactions"]) for day in kept.values() if name in day["rules"]]
        now = habit(hits, watch.transactions, history)
        expected = None if now.expected is None else round(now.expected, 3)
        found.append({"rule": name, "state": now.state, "hits": hits, "expected": expected, "days": now.days})
    found.sort(
        key=lambda each: (_ORDER.index(each["state"]), -each["hits"], -(each["expected"] or 0), each["rule"])
    )
    return found


def calibration(ripe: Mapping[date, Group] | None) -> list[dict[str, Any]] | None:
    """Each model by week, Monday to Sunday, as far as its days are ripe; None where labels are not read."""
    if ripe is None:
        return None
    found: dict[tuple[date, str], list[Judged]] = {}
    days: dict[tuple[date, str], set[date]] = {}
    for at, group in ripe.items():
        monday = at - timedelta(days=at.weekday())
        for key, judged in group.items():
            for version, each in zip(key.split(), judged, strict=True):
                found.setdefault((monday, version), []).append(each)
                days.setdefault((monday, version), set()).add(at)
    return [
        {
            "week": "{}-W{:02d}".format(*monday.isocalendar()[:2]),
            "from": monday.isoformat(),
            "to": (monday + _WEEK - timedelta(days=1)).isoformat(),
            "days": len(days[monday, version]),
            "model": version,
            "scored": int((whole := together(each)).counts.sum()),
            "labelled": int(whole.counts[1:].sum()),
            **(told := whole.calibration()),
            "ratio": came_true(told),
        }
        for (monday, version), each in sorted(found.items())
    ]


def _thresholds(watch: Watch, policy_of: PolicyOf, pair: Comparison) -> list[dict[str, Any]]:
    """How many scores reach each threshold, the least first; `from` is null where policies differ."""
    plans = [
        policy.model
        for policy in filter(None, map(policy_of, sorted(watch.policies)))
        if policy.model is not None and policy.model.version == pair.champion
    ]
    led, found = pair.outcomes(), []
    for outcome in sorted({outcome for plan in plans for outcome in plan.thresholds}):
        least = {plan.thresholds.get(outcome) for plan in plans}
        reached = sum(led.get(name, 0) for name in OUTCOMES[outcome:])
        found.append(
            {
                "outcome": OUTCOMES[outcome],
                "from": least.pop() if len(least) == 1 else None,
                "transactions": reached,
            }
        )
    return found


def labelled(pair: Comparison, ripe: Mapping[date, Group]) -> dict[str, Any] | None:
    """Both over the ripe transactions that both scored, so that neither had the easier ones; or None."""
    own: list[Judged] = []
    its: list[Judged] = []
    days: list[date] = []
    for at, group in sorted(ripe.items()):
        for key, judged in group.items():
            versions = key.split()
            if versions[0] == pair.champion and pair.version in versions:
                own.append(judged[versions.index(pair.version)])
                its.append(judged[0])
                days.append(at)
    if not own:
        return None
    mine, champion = together(own), together(its)
    legitimate, frauds = mine.known(mine.counts.sum(axis=1)).tolist()
    return {
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "frauds": frauds,
        "legitimate": legitimate,
        "silence_is_legitimate": mine.silent,
        **mine.ranking(),
        "champion": champion.ranking(),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")
