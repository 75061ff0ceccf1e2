"""Alerts as log lines."""

from __future__ import annotations

import re

import structlog

from shroff.codec import instant
from shroff.core.alert import Alert

_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){9,15}(\d{4})(?!\d)")
_EMAIL = re.compile(r"([^\s@,<>]+)@([^\s@,<>]+)")

log = structlog.get_logger()


class LogChannel:
    """One event `alert_raised` an alert, without card numbers and mail addresses."""

    def __init__(self, name: str = "log") -> None:
        self.name = name

    def send(self, alert: Alert) -> None:
        """Write the line."""
        log.info(
            "alert_raised",
            alert_id=alert.alert_id,
            rule=alert.rule,
            entity=alert.entity,
            key=masked(alert.key),
            outcome=alert.outcome,
            score=alert.score,
            reason=masked(alert.reason),
            transaction_id=alert.transaction_id,
            occurred_at=instant(alert.occurred_at),
        )


def masked(text: str) -> str:
    """A text without what a log must not hold: of a card number its last four digits, of an address its domain.

    >>> masked("4111 1111 1111 1234, jane@example.com, cust-001")
    '************1234, ***@example.com, cust-001'
    """
    return _EMAIL.sub(r"***@\2", _CARD.sub(r"************\1", text))
