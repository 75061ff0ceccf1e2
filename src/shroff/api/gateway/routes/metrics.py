"""GET /metrics: what the gateway counts, for Prometheus."""

from __future__ import annotations

from functools import partial

from shroff.api.gateway.answers import Answer
from shroff.api.gateway.gauges import read_gauges
from shroff.api.gateway.metrics import Counts, exposition
from shroff.api.gateway.request import GET, Ask, Request, Route
from shroff.api.gateway.settings import GatewayPorts

_TEXT = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]


class Metrics:
    """The counts of this process, and where all transactions are."""

    def __init__(self, ports: GatewayPorts, counts: Counts, ask: Ask) -> None:
        self._ports = ports
        self._counts = counts
        self._ask = ask

    def routes(self) -> dict[str, Route]:
        """Their address."""
        return {"/metrics": Route("/metrics", GET, "metrics:read", self.metrics)}

    async def metrics(self, request: Request) -> Answer:
        """Prometheus text."""
        reading = await self._ask(partial(read_gauges, self._ports))
        return Answer(200, exposition(self._counts, reading), _TEXT)
