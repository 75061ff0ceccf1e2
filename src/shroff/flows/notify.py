"""Telling people about alerts: each channel at its own pace, failures again later, dead ends remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shroff.core.alert import Alert
from shroff.core.errors import Rejected, Retryable
from shroff.ports import Alerts, Channel, Deliveries, Failure

BACKOFF = (5_000, 30_000, 120_000, 600_000, 3_600_000)
"""Milliseconds from each failure to the next attempt; one failure more, and the alert is given up."""

_TOGETHER = 10
"""Alerts between two commits of the position: so many may be told twice after a crash."""
_DOWN = 3
"""Failures in a row after which a channel counts as down, so that a pass ends soon whatever its timeouts."""


Trouble = tuple[Failure, int | None]
"""What went wrong with an alert, and when it is tried again; None for given up."""


@dataclass(slots=True, kw_only=True)
class Notified:
    """What one pass over one channel did."""

    sent: int = 0
    failed: int = 0
    """To be tried again."""
    given_up: int = 0
    down: bool = False
    """The pass ended early, since the channel failed several times in a row."""


def begin(channel: Channel, alerts: Alerts, deliveries: Deliveries) -> None:
    """Have a channel that has never run begin with the next alert; call it before anything is decided."""
    if deliveries.position(channel.name) is None:
        deliveries.advance(channel.name, alerts.last(), {})


def notify(channel: Channel, alerts: Alerts, deliveries: Deliveries, now: int, limit: int = 100) -> Notified:
    """Try again what is due, then send what was raised since, at most `limit` alerts of each.

    A channel that `begin` has not seen tells nothing. Every alert is delivered at
    least once: a crash between sending and remembering sends up to ten again, with the same alert_id. Passes
    over one channel must not overlap; different channels share nothing and may run beside each other.
    """
    position = deliveries.position(channel.name)
    if position is None:
        return Notified()
    run = _Pass(channel, deliveries, now)
    for alert, failures in deliveries.due(channel.name, now)[:limit]:
        if not run.done.down:
            run.again(alert, len(failures))
    raised = alerts.after(position, limit)
    for start in range(0, len(raised), _TOGETHER):
        if not run.done.down:
            run.onward(raised[start : start + _TOGETHER])
    return run.done


class _Pass:
    """One pass over one channel, with what it has done so far."""

    def __init__(self, channel: Channel, deliveries: Deliveries, now: int) -> None:
        self._channel, self._deliveries, self._now = channel, deliveries, now
        self._in_a_row = 0
        self.done = Notified()

    def again(self, alert: Alert, failures: int) -> None:
        """Try an alert that failed before."""
        trouble: Trouble | None = self._interrupted(failures)
        try:
            trouble = self._send(alert, failures)
        finally:
            failure, due_at = trouble or (None, None)
            self._deliveries.settle(self._channel.name, alert.alert_id, failure, due_at)

    def onward(self, raised: Sequence[tuple[int, Alert]]) -> None:
        """Send new alerts, until the channel is down, and move on past them."""
        failed: dict[str, Trouble] = {}
        reached = raised[0][0] - 1
        try:
            for position, alert in raised:
                if self.done.down:
                    break
                reached, failed[alert.alert_id] = position, self._interrupted(0)
                trouble = self._send(alert, 0)
                del failed[alert.alert_id]
                if trouble is not None:
                    failed[alert.alert_id] = trouble
        finally:
            self._deliveries.advance(self._channel.name, reached, failed)

    def _interrupted(self, failures: int) -> Trouble:
        """What stands where a bug ends the pass: a channel must not stop for ever at one alert."""
        return Failure(at=self._now, cause="the pass was interrupted"), self._due_at(failures + 1)

    def _send(self, alert: Alert, failures: int) -> Trouble | None:
        """What went wrong and when to try again, or None where it was sent."""
        try:
            self._channel.send(alert)
        except Rejected as error:
            self._in_a_row = 0
            self.done.given_up += 1
            return Failure(at=self._now, cause=str(error)), None
        except Retryable as error:
            self._in_a_row += 1
            self.done.down = self._in_a_row >= _DOWN
            due_at = self._due_at(failures + 1)
            if due_at is None:
                self.done.given_up += 1
            else:
                self.done.failed += 1
            return Failure(at=self._now, cause=str(error)), due_at
        self._in_a_row = 0
        self.done.sent += 1
        return None

    def _due_at(self, failures: int) -> int | None:
        return self._now + BACKOFF[failures - 1] if failures <= len(BACKOFF) else None
