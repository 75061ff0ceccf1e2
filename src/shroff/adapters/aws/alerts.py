"""The alert log in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from shroff.adapters.aws.alert_items import alert_item, alert_key, alert_of
from shroff.adapters.aws.attributes import number, text
from shroff.adapters.aws.days import DAY, day_of
from shroff.adapters.aws.shelf import Item, Shelf
from shroff.core.alert import Alert, merge

_THREADS = 8
_SHORT = 40 * DAY
_END = 253_402_300_800_000
"""The year 10000."""


class AwsAlerts:
    """The alert log: each alert once, and whether somebody was told of it.

    There is no one order in which many workers raise alerts, so the log has no positions: `after` and `last`
    go by the moment of raising, and know only what is still untold.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def add(self, alerts: Sequence[Alert], *, count_hits: bool = True) -> int:
        """Keep alerts, counting hits on those already there unless told not to; returns how many are new."""
        found = merge(alerts) if count_hits else self._unknown(alerts)
        if len(found) < 2:
            return sum(self._put(each, count_hits) for each in found)
        with ThreadPoolExecutor(_THREADS) as pool:
            return sum(pool.map(self._put, found, repeat(count_hits)))

    def last(self) -> int:
        """The moment at which the newest untold alert was raised; 0 without any."""
        page = next(self._untold(ScanIndexForward=False, Limit=1), [])
        return max((alert_of(item).raised_at for item in page), default=0)

    def after(self, position: int, limit: int) -> list[tuple[int, Alert]]:
        """(moment of raising, alert) of untold alerts that were raised after a moment, oldest first."""
        return [(each.raised_at, each) for each in self._raised(position, 2**62, limit)]

    def between(self, start: int, end: int) -> list[Alert]:
        """Alerts with start <= occurred_at < end, by occurred_at, then alert_id."""
        if start >= end:
            return []
        found = [each for day in self._days(start, end) for each in self._of_day(day, start, end)]
        return sorted(found, key=lambda each: (each.occurred_at, each.alert_id))

    def untold(self, limit: int, *, before: int = 2**62) -> list[Alert]:
        """Alerts of which nobody was told and that were raised before a moment, oldest first.

        May still have one that was told a moment ago: telling is at least once, with the same alert_id.
        """
        return self._raised(-1, before, limit)

    def told(self, alert_ids: Iterable[str]) -> None:
        """Somebody was told of these."""
        for alert_id in alert_ids:
            self._shelf.attempt(
                self._shelf.client.update_item,
                Key=alert_key(alert_id),
                UpdateExpression="REMOVE untold",
                ConditionExpression="attribute_exists(untold)",
            )

    def _put(self, alert: Alert, count_hits: bool) -> bool:
        """Keep an alert, or count it on the one that is there; whether it is new."""
        new = self._shelf.put_new(alert_item(alert))
        if count_hits and not new:
            self._count(alert)
        return new

    def _unknown(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The first of each id that is not there yet: a sweep finds most of what it finds again and again."""
        firsts = {each.alert_id: each for each in reversed(alerts)}
        known = self._shelf.pick([alert_key(alert_id) for alert_id in firsts])
        there = {alert_of(item).alert_id for item in known}
        return [each for alert_id, each in reversed(firsts.items()) if alert_id not in there]

    def _count(self, alert: Alert) -> None:
        """Count the hits of an alert that is there, and raise its score where they are graver."""
        key, score = alert_key(alert.alert_id), number(alert.score)
        self._shelf.attempt(
            self._shelf.client.update_item,
            Key=key,
            UpdateExpression="ADD hits :hits",
            ExpressionAttributeValues={":hits": number(alert.hits)},
        )
        self._shelf.attempt(
            self._shelf.client.update_item,
            Key=key,
            UpdateExpression="SET score = :score",
            ConditionExpression="score < :score",
            ExpressionAttributeValues={":score": score},
        )

    def _raised(self, after: int, before: int, limit: int) -> list[Alert]:
        found: list[Alert] = []
        if after + 1 > before - 1:
            return found
        for page in self._untold(limit=limit, span=(after + 1, before - 1)):
            found += map(alert_of, page)
            if len(found) >= limit:
                break
        return found[:limit]

    def _untold(self, span: tuple[int, int] = (0, 2**62), limit: int = 1, **how: Any) -> Iterator[list[Item]]:
        return self._shelf.pages(
            IndexName="untold",
            KeyConditionExpression="untold = :untold AND raised_at BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":untold": text("untold"),
                ":first": number(max(0, span[0])),
                ":last": number(span[1]),
            },
            **{"Limit": limit, **how},
        )

    def _days(self, start: int, end: int) -> list[str]:
        """The days that may have alerts: a short walk just looks, a long one goes by the days on record."""
        if end - start <= _SHORT:
            return [day_of(at) for at in range(start // DAY * DAY, end, DAY)]
        first, last = day_of(start), day_of(min(end, _END) - 1)
        # An alert is raised by a transaction, and the day of that was noted before.
        noted = (item["sk"]["S"] for item in self._shelf.under("days#occurred"))
        return [day for day in noted if first <= day <= last]

    def _of_day(self, day: str, start: int, end: int) -> Iterator[Alert]:
        pages = self._shelf.pages(
            IndexName="by-day",
            KeyConditionExpression="#day = :day AND occurred_at BETWEEN :first AND :last",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues={
                ":day": text(day),
                ":first": number(start),
                ":last": number(end - 1),
            },
        )
        return (alert_of(item) for page in pages for item in page)
