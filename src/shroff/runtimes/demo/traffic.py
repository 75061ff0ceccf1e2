"""The demo's traffic: a few days of history at once, then live posts in simulated time, faster than life."""

from __future__ import annotations

import http.client
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

from shroff.codec import encode
from shroff.simulator import Simulated

SPEED = 1440
"""Simulated seconds in a second: a day a minute."""


@dataclass(slots=True)
class Sent:
    """What has been posted so far."""

    truth: dict[str, str | None] = field(default_factory=dict)
    """transaction_id → typology, None for honest ones."""
    answers: Counter[int] = field(default_factory=Counter)
    clock: int = 0
    """Simulated time in ms."""
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=200))
    """When the last posts were answered, by the monotonic clock."""
    failed: str | None = None

    def rate(self) -> float:
        """Posts a second, over the last ones."""
        if len(self.recent) < 2:
            return 0.0
        return (len(self.recent) - 1) / max(time.monotonic() - self.recent[0], 1e-9)


def post(stream: Iterator[Simulated], sent: Sent, host: str, port: int, stop: Event) -> None:
    """Post each transaction when its simulated moment comes, until told to stop.

    A post without an answer is posted again: its id makes that harmless.
    """
    connection = http.client.HTTPConnection(host, port, timeout=10)
    begun, first = time.monotonic(), 0
    for each in stream:
        first = first or each.occurred_at
        ahead = (each.occurred_at - first) / 1000 / SPEED - (time.monotonic() - begun)
        if stop.wait(max(0.0, ahead)):
            break
        sent.clock = each.occurred_at
        sent.truth[str(each.body["transaction_id"])] = each.typology
        _post_until_answered(connection, encode(each.body), sent, stop)
    connection.close()


def _post_until_answered(
    connection: http.client.HTTPConnection, body: bytes, sent: Sent, stop: Event
) -> None:
    while True:
        try:
            connection.request("POST", "/transactions", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            sent.failed = f"the gateway did not answer: {error}"
        else:
            sent.answers[answer.status] += 1
            sent.recent.append(time.monotonic())
            sent.failed = None
            if answer.status != 503:
                return
        if stop.wait(0.2):
            return
