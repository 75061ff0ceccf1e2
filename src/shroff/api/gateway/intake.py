"""Taking transactions in: what all posting routes share."""

from __future__ import annotations

from collections.abc import Sequence

from shroff.api.gateway.answers import BROKEN, FULL, UNSTORED, Refused
from shroff.api.gateway.bodies import Bodies
from shroff.api.gateway.committer import Broken, Committer
from shroff.api.gateway.entries import entry_in
from shroff.api.gateway.settings import GatewayPorts, GatewaySettings
from shroff.core.errors import Retryable
from shroff.ports import Entry, Receipt


class Intake:
    """Reads entries and makes them durable, as long as there is room."""

    def __init__(self, ports: GatewayPorts, settings: GatewaySettings, committer: Committer) -> None:
        self.settings = settings
        self.bodies = Bodies(settings.body_timeout / 1_000)
        self._clock = ports.clock
        self._committer = committer
        self.in_flight = 0
        self.asked = False
        """Whether anybody came since `in_flight` was looked at."""

    @property
    def open(self) -> bool:
        """Whether anything is taken at all: not once the gateway is stopping."""
        return self._committer.working

    @property
    def full(self) -> bool:
        """Whether so much is in flight that nothing more is taken."""
        return self.in_flight >= self.settings.high_water

    def require_room(self) -> None:
        """Refuse with 503 from the high-water mark on."""
        self.asked = True
        if self.full:
            raise Refused(FULL)

    def entry(self, body: bytes) -> Entry:
        """The entry of one JSON object. Raises Rejected with all faults at once."""
        return entry_in(body, currency=self.settings.currency, received_at=self._clock())

    async def accept(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Receipts, once all entries are durable. Raises Refused where none was accepted."""
        self.in_flight += len(entries)  # until it is looked at again: many may come in between
        try:
            return await self._committer.submit(entries)
        except Retryable:
            raise Refused(UNSTORED) from None
        except Broken:
            raise Refused(BROKEN) from None
