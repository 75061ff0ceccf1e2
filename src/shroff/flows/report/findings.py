"""Alerts, sweep findings and dead letters of a day as members of the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.policy import OUTCOMES
from shroff.ports import DeadLetter

MOST_LISTED, MOST_TOP, MOST_CAUSES = 1_000, 50, 100


def alerted(raised: Sequence[Alert]) -> list[dict[str, Any]]:
    """The entities with the most alerts."""
    severest: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for alert in raised:
        key = (alert.entity, alert.key)
        counts[key] += 1
        severest[key] = max(severest.get(key, OUTCOMES[0]), alert.outcome, key=OUTCOMES.index)
    ranked = sorted(counts, key=lambda key: (-counts[key], -OUTCOMES.index(severest[key]), key))
    return [
        {"entity": key[0], "key": key[1], "alerts": counts[key], "outcome": severest[key]}
        for key in ranked[:MOST_TOP]
    ]


def alerts(raised: Sequence[Alert]) -> dict[str, Any]:
    """What rules raised, the gravest first."""
    ranked = sorted(raised, key=lambda a: (-OUTCOMES.index(a.outcome), -a.score, a.occurred_at, a.alert_id))
    by_outcome = Counter(alert.outcome for alert in raised)
    return {
        "count": len(raised),
        "by_outcome": {outcome: by_outcome[outcome] for outcome in reversed(OUTCOMES) if by_outcome[outcome]},
        "listed": [alert_listed(alert) | {"outcome": alert.outcome} for alert in ranked[:MOST_LISTED]],
        "others": max(len(ranked) - MOST_LISTED, 0),
    }


def sweep(findings: Sequence[Alert]) -> dict[str, Any]:
    """What the look-back found, the highest score first."""
    ranked = sorted(findings, key=lambda a: (-a.score, a.occurred_at, a.alert_id))
    rules: dict[str, list[Alert]] = {}
    for alert in ranked:
        rules.setdefault(alert.rule, []).append(alert)
    return {
        "count": len(findings),
        "by_rule": [
            {
                "rule": rule,
                "reason": each[0].reason,
                "findings": len(each),
                "groups": len({alert.key for alert in each}),
                "highest_score": each[0].score,
            }
            for rule, each in sorted(rules.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        ],
        "by_group": _groups(ranked)[:MOST_TOP],
        "listed": [alert_listed(alert) for alert in ranked[:MOST_LISTED]],
        "others": max(len(ranked) - MOST_LISTED, 0),
    }


def _groups(ranked: Sequence[Alert]) -> list[dict[str, Any]]:
    """One a group and rule, so that one busy customer does not hide the others; highest score first."""
    together: dict[tuple[str, str], list[Alert]] = {}
    for alert in ranked:
        together.setdefault((alert.key, alert.rule), []).append(alert)
    return [
        {
            "group": group,
            "rule": rule,
            "reason": each[0].reason,
            "findings": len(each),
            "highest_score": each[0].score,
            "from": instant(min(alert.occurred_at for alert in each)),
            "to": instant(max(alert.occurred_at for alert in each)),
        }
        for (group, rule), each in together.items()
    ]


def alert_listed(alert: Alert) -> dict[str, Any]:
    """An alert without the time of its raising: that says when Shroff ran, and nothing of the day."""
    names = ("alert_id", "rule", "entity", "key", "score", "reason", "transaction_id", "hits")
    return {"occurred_at": instant(alert.occurred_at)} | {name: getattr(alert, name) for name in names}


def dead_letters(letters: Sequence[DeadLetter]) -> dict[str, Any]:
    """What could not be processed, by the cause of its last attempt."""
    causes = Counter(
        letter.message.failures[-1].cause if letter.message.failures else "" for letter in letters
    )
    ranked = ranked_counts(causes)
    return {
        "count": len(letters),
        "discarded": sum(letter.discarded for letter in letters),
        "by_cause": [{"cause": cause, "count": count} for cause, count in ranked[:MOST_CAUSES]],
        "others": sum(count for _, count in ranked[MOST_CAUSES:]),
        "transaction_ids": sorted(letter.message.transaction_id for letter in letters)[:MOST_LISTED],
    }


def ranked_counts(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, equals by name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
