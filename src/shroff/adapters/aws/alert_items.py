"""Alerts as items of the state table, and the writes that keep them within a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shroff.adapters.aws.attributes import Item, integer, number, text
from shroff.adapters.aws.days import day_of
from shroff.core.alert import Alert, merge


def alert_key(alert_id: str) -> Item:
    """The key of an alert."""
    return {"pk": text(f"alert#{alert_id}"), "sk": text("alert")}


def alert_item(alert: Alert) -> Item:
    """A new alert: `untold` until somebody was told of it."""
    return {
        **alert_key(alert.alert_id),
        "rule": text(alert.rule),
        "entity": text(alert.entity),
        "key": text(alert.key),
        "outcome": text(alert.outcome),
        "score": number(alert.score),
        "reason": text(alert.reason),
        "transaction_id": text(alert.transaction_id),
        "occurred_at": number(alert.occurred_at),
        "raised_at": number(alert.raised_at),
        "hits": number(alert.hits),
        "day": text(day_of(alert.occurred_at)),
        "untold": text("untold"),
    }


def alert_of(item: Item) -> Alert:
    """The alert of an item."""
    return Alert(
        alert_id=item["pk"]["S"].removeprefix("alert#"),
        rule=item["rule"]["S"],
        entity=item["entity"]["S"],
        key=item["key"]["S"],
        outcome=item["outcome"]["S"],
        score=float(item["score"]["N"]),
        reason=item["reason"]["S"],
        transaction_id=item["transaction_id"]["S"],
        occurred_at=integer(item, "occurred_at"),
        raised_at=integer(item, "raised_at"),
        hits=integer(item, "hits"),
    )


def known_scores(items: Sequence[Item]) -> dict[str, float]:
    """The alerts among these items and the score of each: what `alert_updates` has to know."""
    return {item["pk"]["S"].removeprefix("alert#"): float(item["score"]["N"]) for item in items}


def alert_updates(alerts: Sequence[Alert], known: Mapping[str, float], table: str) -> list[dict[str, Any]]:
    """A transaction's writes for alerts, one each: what is new is put, what is known has its hits counted.

    Where another worker was there first the condition does not hold: the commit begins again, knowing more.
    """
    return [
        _update(alert, known[alert.alert_id], table) if alert.alert_id in known else _put(alert, table)
        for alert in merge(alerts)
    ]


def _put(alert: Alert, table: str) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": alert_item(alert),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def _update(alert: Alert, score: float, table: str) -> dict[str, Any]:
    raised = alert.score > score
    update: dict[str, Any] = {
        "TableName": table,
        "Key": alert_key(alert.alert_id),
        "UpdateExpression": "ADD #hits :hits" + (" SET #score = :score" if raised else ""),
        # A score is only ever raised: where it has been raised meanwhile, ours is compared with that.
        "ConditionExpression": "#score < :score" if raised else "attribute_exists(pk)",
        "ExpressionAttributeNames": {"#hits": "hits"} | ({"#score": "score"} if raised else {}),
        "ExpressionAttributeValues": {":hits": number(alert.hits)}
        | ({":score": number(alert.score)} if raised else {}),
    }
    return {"Update": update}
