"""Taking transactions in: what all posting routes share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shroff.api.gateway.answers import BROKEN, FULL, UNSTORED, Refused
from shroff.api.gateway.committer import Broken
from shroff.api.gateway.entries import entry_in
from shroff.api.gateway.settings import GatewaySettings
from shroff.core.errors import Retryable
from shroff.ports import Clock, Entry, Receipt

Submit = Callable[[Sequence[Entry]], Awaitable[list[Receipt]]]
"""Makes entries durable, all of them or, raising Retryable or Broken, none."""


def _always() -> bool:
    return True


class Intake:
    """Reads entries and makes them durable, as long as there is room."""

    def __init__(
        self,
        settings: GatewaySettings,
        clock: Clock,
        submit: Submit,
        is_open: Callable[[], bool] = _always,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._submit = submit
        self._is_open = is_open
        self.in_flight = 0
        self.asked = False
        """Whether anybody came since `in_flight` was looked at."""

    @property
    def open(self) -> bool:
        """Whether anything is taken at all: not once the gateway is stopping."""
        return self._is_open()

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
        return entry_in(body, currency=self.settings.currency, received_at=self.clock())

    async def accept(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Receipts, once all entries are durable. Raises Refused where none was accepted."""
        self.in_flight += len(entries)  # until it is looked at again: many may come in between
        try:
            return await self._submit(entries)
        except Retryable:
            raise Refused(UNSTORED) from None
        except Broken:
            raise Refused(BROKEN) from None
