"""The desk behind API Gateway: one event, one answer; what somebody waits for is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from shroff.api.gateway.desk import Desk, routes
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.settings import DeskPorts, GatewaySettings
from shroff.api.gateway.verdicts import Verdict
from shroff.core.errors import Rejected, Retryable
from shroff.ports import Clock, Entry, Message, Receipt
from shroff.runtimes.lambdas.deciding import Decider
from shroff.runtimes.lambdas.event import method_of, proxied, request_of
from shroff.runtimes.lambdas.meter import Meter

log = structlog.get_logger()

Append = Callable[[Sequence[Entry]], list[Receipt]]

_ROOM = 10_000
"""Milliseconds for which the number in flight is taken as it was."""
_COUNTED = {"accepted": "Accepted", "repeated": "Repeated", "conflict": "Conflicts"}


async def ask(question: Callable[[], Any]) -> Any:
    """Ask at once: an invocation has one request, so that there is nobody else to hold up."""
    return question()


class Counter(Intake):
    """An intake that appends at once, and counts."""

    def __init__(self, settings: GatewaySettings, clock: Clock, append: Append, meter: Meter) -> None:
        async def submit(entries: Sequence[Entry]) -> list[Receipt]:
            receipts = append(entries)
            for receipt in receipts:
                meter.count(_COUNTED[receipt.status])
            return receipts

        super().__init__(settings, clock, submit)
        self._meter = meter

    def entry(self, body: bytes) -> Entry:
        """The entry of one JSON object. Raises Rejected with all faults at once."""
        try:
            return super().entry(body)
        except Rejected:
            self._meter.count("Rejected")
            raise


_LONGEST = 28_000
"""Milliseconds after which nobody hears an answer any more."""
_LOOKED = 2_000
"""Milliseconds for which an answer to whether deciding stands still holds."""


class Inline:
    """Decides what somebody waits for, as the consumer would; answers Verdicts.

    Where that fails or takes too long the message goes the way of all others.
    """

    def __init__(
        self,
        ports: DeskPorts,
        decider: Decider,
        send: Callable[[Sequence[Message]], None],
        clock: Clock,
        stands_still: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ports = ports
        self._decider = decider
        self._send = send
        self._clock = clock
        self._stands_still = stands_still
        self._looked_at, self._still = -_LOOKED, False

    async def of(self, entry: Entry, receipt: Receipt, seconds: float) -> Verdict | None:
        """What became of the entry: for a repeated one what is stored, if it was decided before."""
        began = self._clock()
        message = _message_of(entry)
        try:
            if receipt.status == "repeated":
                if verdict := self._stored(entry.transaction_id):
                    return verdict
                message = self._accepted(entry.transaction_id)
            if self._decided(message, began, int(seconds * 1_000)):
                return self._stored(entry.transaction_id)
        except Retryable as error:  # it is kept: where it cannot be looked at, it must be on the queue
            log.warning("decision_put_off", transaction_id=message.transaction_id, cause=str(error))
        self._send([message])
        return None

    def _accepted(self, transaction_id: str) -> Message:
        message = self._ports.reader.find(transaction_id)
        if message is None:
            raise LookupError(f"{transaction_id} was accepted, but is not there")
        return message

    def _decided(self, message: Message, began: int, wait: int) -> bool:
        if self._paused():
            return False
        try:
            outcomes, failed = self._decider.decide(
                [message],
                lambda: began + wait - self._clock(),
                reserve=0,
                left_to_tell=lambda: began + _LONGEST - self._clock(),
            )
        except Retryable as error:
            log.warning("decision_put_off", transaction_id=message.transaction_id, cause=str(error))
            return False
        for _, why in failed:
            expected = isinstance(why, Retryable | Rejected)
            log.warning(
                "decision_put_off",
                transaction_id=message.transaction_id,
                cause=str(why),
                exc_info=None if expected else why,
            )
        return not failed and not any(outcome.work.unsettled for outcome in outcomes)

    def _paused(self) -> bool:
        """Whether all deciding stands still, known within two seconds."""
        now = self._clock()
        if not 0 <= now - self._looked_at < _LOOKED:
            self._still, self._looked_at = self._stands_still(), now
        return self._still

    def _stored(self, transaction_id: str) -> Verdict | None:
        record = self._ports.ledger.find(transaction_id)
        return record or self._ports.dead_letters.get(transaction_id)


class Api:
    """Answers API Gateway's events; lives as long as its process."""

    def __init__(
        self, ports: DeskPorts, intake: Counter, deciding: Counter, inline: Inline, clock: Clock
    ) -> None:
        self._in_flight = ports.in_flight
        self._intakes = (intake, deciding)
        self._desk = Desk(routes(ports, intake, inline, deciding))
        self._clock = clock
        self._looked_at = -_ROOM

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one event, as the gateway of one machine would give it."""
        method, request = method_of(event), request_of(event)
        route = self._desk.route(method, request.path)
        if method == "POST":
            self._look_for_room()
        answer = asyncio.run(self._desk.answer(route, method, request))
        return proxied(answer, head=method == "HEAD")

    def _look_for_room(self) -> None:
        now = self._clock()
        if 0 <= now - self._looked_at < _ROOM:
            return
        self._looked_at = now
        try:
            flying = self._in_flight()
        except Retryable as error:  # what was known before goes on to be used
            log.warning("refresh_failed", cause=str(error))
            return
        for intake in self._intakes:
            intake.in_flight = flying


def _message_of(entry: Entry) -> Message:
    return Message(
        seq=entry.received_at,
        transaction_id=entry.transaction_id,
        body=entry.body,
        received_at=entry.received_at,
    )
