"""The alert log in memory."""

from __future__ import annotations

from collections.abc import Sequence

from shroff.adapters.memory.shelves import Shelves
from shroff.core.alert import Alert, merge


class MemoryAlerts:
    """The alert log: in the order of raising, each alert once."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def add(self, alerts: Sequence[Alert], *, count_hits: bool = True) -> int:
        """Keep alerts, counting hits on those already there unless told not to; returns how many are new."""
        with self._shelves.changing():
            return keep_alerts(self._shelves, alerts, count_hits=count_hits)

    def last(self) -> int:
        """The position of the newest alert; 0 without any."""
        with self._shelves.lock:
            return len(self._shelves.alerts)

    def after(self, position: int, limit: int) -> list[tuple[int, Alert]]:
        """(position, alert) in the order of raising, from above a position."""
        with self._shelves.lock:
            log = list(self._shelves.alerts.values())
        return list(enumerate(log[position : position + limit], position + 1))

    def between(self, start: int, end: int) -> list[Alert]:
        """Alerts with start <= occurred_at < end, by occurred_at, then alert_id."""
        with self._shelves.lock:
            found = [each for each in self._shelves.alerts.values() if start <= each.occurred_at < end]
        return sorted(found, key=lambda each: (each.occurred_at, each.alert_id))


def keep_alerts(shelves: Shelves, alerts: Sequence[Alert], *, count_hits: bool) -> int:
    """Keep alerts; returns how many are new."""
    log, before = shelves.alerts, len(shelves.alerts)
    for alert in alerts:
        held = log.get(alert.alert_id)
        if held is None:
            log[alert.alert_id] = alert
        elif count_hits:
            (log[alert.alert_id],) = merge((held, alert))
    return len(log) - before
