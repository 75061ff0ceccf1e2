"""Which days have anything: without them nobody could walk all of an index by day and shard."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from shroff.adapters.aws.attributes import text
from shroff.adapters.aws.table import Table

Kind = Literal["accepted", "occurred"]

DAY = 86_400_000
_LAST = date(9999, 12, 31)


class Days:
    """The days on which something was accepted or occurred, noted before anything of that day is written."""

    def __init__(self, state: Table) -> None:
        self._state = state
        self._noted: set[tuple[Kind, str]] = set()

    def note(self, kind: Kind, days: set[str]) -> None:
        """Keep these days; one write for a day and a process."""
        for day in sorted(days):
            if (kind, day) not in self._noted:
                self._state.put({"pk": text(f"days#{kind}"), "sk": text(day)})
                self._noted.add((kind, day))

    def between(self, kind: Kind, start: int, end: int) -> list[str]:
        """The days that may have something at start <= moment < end, in order."""
        if end <= start:
            return []
        first, last = day_of(start), day_of(min(end - 1, _END))
        # A short walk just looks; a long one asks which days are worth it.
        if end - start <= 2 * DAY:
            return _every_day(first, last)
        return [day for day in self._all(kind) if first <= day <= last]

    def _all(self, kind: Kind) -> list[str]:
        pages = self._state.query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": text(f"days#{kind}")},
            ConsistentRead=True,
        )
        return [item["sk"]["S"] for page in pages for item in page]


def day_of(moment: int) -> str:
    """The UTC day of a moment in milliseconds, as YYYY-MM-DD."""
    return datetime.fromtimestamp(moment // 1000, UTC).date().isoformat()


_END = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000 + DAY - 1


def _every_day(first: str, last: str) -> list[str]:
    day, end, found = date.fromisoformat(first), date.fromisoformat(last), []
    while day <= end:
        found.append(day.isoformat())
        if day == _LAST:
            break
        day += timedelta(days=1)
    return found
