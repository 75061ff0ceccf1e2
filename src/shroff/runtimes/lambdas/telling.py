"""Telling people about new alerts, each at least once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog

from shroff.core.alert import Alert
from shroff.core.errors import Rejected, Retryable
from shroff.ports import Channel

log = structlog.get_logger()


class Teller:
    """Sends alerts and remembers which were sent; what was not stays untold, and the sweep tells it."""

    def __init__(self, channel: Channel, told: Callable[[Iterable[str]], None]) -> None:
        self._channel = channel
        self._told = told

    def tell(self, alerts: Sequence[Alert]) -> int:
        """Send alerts until the channel fails; returns how many need not be sent again."""
        done: list[str] = []
        try:
            for alert in alerts:
                self._send(alert)
                done.append(alert.alert_id)
        except Retryable as error:
            log.warning("alerts_untold", alerts=len(alerts) - len(done), cause=str(error))
        finally:
            self._told(done)
        return len(done)

    def _send(self, alert: Alert) -> None:
        try:
            self._channel.send(alert)
        except Rejected as error:  # it never will be sent, and must not stand before the others
            log.error("alert_refused", alert_id=alert.alert_id, cause=str(error))
