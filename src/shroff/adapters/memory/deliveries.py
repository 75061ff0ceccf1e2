"""Where each notification channel stands, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shroff.adapters.memory.shelves import Shelves
from shroff.core.alert import Alert
from shroff.ports import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owed:
    """An alert that a channel could not deliver, and when it is tried next, or None for given up."""

    channel: str
    alert: Alert
    place: int
    failures: tuple[Failure, ...]
    due_at: int | None


class MemoryDeliveries:
    """How far each notification channel has come, and what it could not deliver."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._positions: dict[str, int] = {}
        self._owed: dict[tuple[str, str], tuple[tuple[Failure, ...], int | None]] = {}

    def position(self, channel: str) -> int | None:
        """None where the channel has never run."""
        return self._positions.get(channel)

    def advance(self, channel: str, position: int, failed: Mapping[str, tuple[Failure, int | None]]) -> None:
        """Move on; alert_id → (failure, next attempt or None for given up).

        Raises ValueError for a step back.
        """
        with self._shelves.changing():
            if position < self._positions.get(channel, position):
                raise ValueError(f"channel {channel} was beyond {position} before")
            self._positions[channel] = position
            for alert_id, (failure, due_at) in failed.items():
                self._fail(channel, alert_id, failure, due_at)

    def due(self, channel: str, now: int) -> list[tuple[Alert, tuple[Failure, ...]]]:
        """What is to be tried again by now, in the order of the next attempts, with the failures so far."""
        owed = [each for each in self._all() if each.channel == channel]
        waiting = [(each.due_at, each.place, each) for each in owed if each.due_at is not None]
        waiting.sort(key=lambda entry: entry[:2])
        return [(each.alert, each.failures) for due_at, _, each in waiting if due_at <= now]

    def settle(self, channel: str, alert_id: str, failure: Failure | None, due_at: int | None) -> None:
        """Delivered where failure is None; else another attempt at due_at, or given up."""
        with self._shelves.changing():
            if failure is None:
                self._owed.pop((channel, alert_id), None)
            else:
                self._fail(channel, alert_id, failure, due_at)

    def dead(self) -> list[tuple[str, Alert, tuple[Failure, ...]]]:
        """(channel, alert, failures) of what was given up, by channel, in the order of raising."""
        dead = sorted(
            (each for each in self._all() if each.due_at is None), key=lambda each: (each.channel, each.place)
        )
        return [(each.channel, each.alert, each.failures) for each in dead]

    def redrive(self, channel: str, alert_ids: Iterable[str], now: int) -> int:
        """Try again, from a first attempt, what was given up; returns how many were there to try."""
        ids = set(alert_ids)
        with self._shelves.changing():
            given_up = [key for key, (_, due_at) in self._owed.items() if due_at is None]
            again = [key for key in given_up if key[0] == channel and key[1] in ids]
            self._owed.update(dict.fromkeys(again, ((), now)))
        return len(again)

    def _fail(self, channel: str, alert_id: str, failure: Failure, due_at: int | None) -> None:
        before, _ = self._owed.get((channel, alert_id), ((), None))
        self._owed[channel, alert_id] = ((*before, failure), due_at)

    def _all(self) -> list[_Owed]:
        with self._shelves.lock:
            places = {alert_id: place for place, alert_id in enumerate(self._shelves.alerts)}
            return [
                _Owed(
                    channel=channel,
                    alert=self._shelves.alerts[alert_id],
                    place=places[alert_id],
                    failures=failures,
                    due_at=due_at,
                )
                for (channel, alert_id), (failures, due_at) in self._owed.items()
                if alert_id in places
            ]
