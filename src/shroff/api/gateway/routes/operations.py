"""GET /health and /ready: how the gateway is."""

from __future__ import annotations

from shroff.api.gateway.answers import Answer
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import GET, Request, Route
from shroff.api.gateway.settings import DeskPorts
from shroff.codec import encode
from shroff.core.errors import Retryable


class Operations:
    """How the gateway is."""

    def __init__(self, ports: DeskPorts, intake: Intake) -> None:
        self._ports = ports
        self._intake = intake

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        return {
            "/health": Route("/health", GET, None, self.health),
            "/ready": Route("/ready", GET, None, self.ready),
        }

    async def health(self, request: Request) -> Answer:
        """200 while the process answers at all."""
        return Answer(200, b'{"status":"ok"}')

    async def ready(self, request: Request) -> Answer:
        """200 where a transaction would be accepted now, else 503 with the reasons."""
        reasons = [] if self._intake.open else ["the gateway is stopping"]
        try:
            flying, most = await self._ports.ask(self._ports.in_flight), self._intake.settings.high_water
            if flying >= most:
                reasons.append(f"{flying} transactions are in flight, the high-water mark is {most}")
        except Retryable:
            reasons.append("the queue or the store does not answer")
        if reasons:
            return Answer(503, encode({"status": "unready", "reasons": reasons}))
        return Answer(200, b'{"status":"ready"}')
