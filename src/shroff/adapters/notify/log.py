"""Alerts as log lines."""

from __future__ import annotations

import structlog

from shroff.adapters.notify.masking import without_people
from shroff.codec import instant
from shroff.core.alert import Alert

log = structlog.get_logger()


class LogChannel:
    """One event `alert_raised` for each alert, without card numbers and mail addresses."""

    def __init__(self, name: str = "log") -> None:
        self.name = name

    def send(self, alert: Alert) -> None:
        """Write the line."""
        log.info(
            "alert_raised",
            alert_id=alert.alert_id,
            rule=alert.rule,
            entity=alert.entity,
            key=without_people(alert.key),
            outcome=alert.outcome,
            score=alert.score,
            reason=without_people(alert.reason),
            transaction_id=alert.transaction_id,
            occurred_at=instant(alert.occurred_at),
        )
