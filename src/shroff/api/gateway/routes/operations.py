"""GET /health, /ready and /metrics: how the gateway is."""

from __future__ import annotations

from functools import partial

from shroff.api.gateway.answers import Answer
from shroff.api.gateway.gauges import in_flight, read_gauges
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.metrics import Counts, exposition
from shroff.api.gateway.request import GET, Request, Route
from shroff.api.gateway.settings import GatewayPorts
from shroff.api.gateway.verdicts import Ask
from shroff.codec import encode
from shroff.core.errors import Retryable

_TEXT = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]


class Operations:
    """How the gateway is."""

    def __init__(self, ports: GatewayPorts, intake: Intake, counts: Counts, ask: Ask) -> None:
        self._ports = ports
        self._intake = intake
        self._counts = counts
        self._ask = ask

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        return {
            "/health": Route("/health", GET, None, self.health),
            "/ready": Route("/ready", GET, None, self.ready),
            "/metrics": Route("/metrics", GET, "metrics:read", self.metrics),
        }

    async def health(self, request: Request) -> Answer:
        """200 while the process answers at all."""
        return Answer(200, b'{"status":"ok"}')

    async def ready(self, request: Request) -> Answer:
        """200 where a transaction would be accepted now, else 503 with the reasons."""
        reasons = [] if self._intake.open else ["the gateway is stopping"]
        try:
            flying, most = await self._ask(partial(in_flight, self._ports)), self._intake.settings.high_water
            if flying >= most:
                reasons.append(f"{flying} transactions are in flight, the high-water mark is {most}")
        except Retryable:
            reasons.append("the queue or the store does not answer")
        if reasons:
            return Answer(503, encode({"status": "unready", "reasons": reasons}))
        return Answer(200, b'{"status":"ready"}')

    async def metrics(self, request: Request) -> Answer:
        """Prometheus text."""
        reading = await self._ask(partial(read_gauges, self._ports))
        return Answer(200, exposition(self._counts, reading), _TEXT)
