"""What one invocation was handed by the queue, and what becomes of each delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from shroff.core.errors import Contended, Damaged, Rejected, Retryable
from shroff.flows.decide import Outcome
from shroff.ports import Clock, Message
from shroff.runtimes.lambdas.deciding import Decider, Left, with_failure
from shroff.runtimes.lambdas.meter import Meter

log = structlog.get_logger()


class Delivery(Protocol):
    """A message as it was handed over this time."""

    @property
    def delivery_id(self) -> str:
        """What a batch's failures are told by."""

    @property
    def receives(self) -> int:
        """How often it was handed over, this time included."""

    @property
    def message(self) -> Message:
        """What was handed over."""


Read = Callable[[Sequence[Mapping[str, Any]]], Sequence[Delivery]]
"""Turns an event's records into deliveries, in their order."""


class Failing(Protocol):
    """Where messages go that were not decided."""

    def note(self, message: Message, *, dead: bool) -> bool:
        """Keep its failures; dead where the queue itself moves it to the dead letters.

        False if it is decided or discarded.
        """

    def bury(self, message: Message) -> bool:
        """To the dead letters, at once, with its failures. False if it is decided or discarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerPorts:
    """What a consumer asks of the world beside what deciding does."""

    read: Read
    failing: Failing
    put_back: Callable[[Sequence[Message]], None]
    """To the end of the queue, a moment later, from a first attempt."""
    clock: Clock


class Consumer:
    """Decides what the queue hands over; whatever it says has failed comes again, the rest does not."""

    def __init__(self, decider: Decider, ports: ConsumerPorts, *, max_receives: int, meter: Meter) -> None:
        self._decider = decider
        self._ports = ports
        self._max_receives = max_receives
        self._meter = meter

    def consume(self, records: Sequence[Mapping[str, Any]], left: Left) -> list[str]:
        """The ids of the records that must come again.

        Raises Retryable where no policy can be read: then all of them must.
        """
        again: list[str] = []
        deliveries: dict[str, list[Delivery]] = {}
        for delivery in self._received(records, again):
            deliveries.setdefault(delivery.message.transaction_id, []).append(delivery)
        if not deliveries:
            return again
        outcomes, failed = self._decide(list(deliveries.values()), left)
        for message in _unreadable(outcomes):
            self._settle(deliveries[message.transaction_id], partial(self._bury, message), again)
        for message, error in failed:
            of_it = deliveries[message.transaction_id]
            self._settle(of_it, partial(self._fail, of_it, error), again)
        self._meter.count("PutBack", 0)  # its alarm is to know quiet from silence
        done = sum(len(each.work.decided) for each in outcomes)
        log.info("consumed", records=len(records), decided=done, failed=len(failed), again=len(again))
        return again

    def _decide(
        self, deliveries: Sequence[Sequence[Delivery]], left: Left
    ) -> tuple[list[Outcome], list[tuple[Message, Exception]]]:
        """What is new together, what comes again one by one: it may have killed the process before.

        From the last of them every other time, so that one that kills takes neither those before it nor
        those behind it along to its last attempt.
        """
        fresh = [each[0].message for each in deliveries if _receives(each) < 2]
        again = [each for each in deliveries if _receives(each) > 1]
        if any(_receives(each) % 2 for each in again):
            again.reverse()
        outcomes: list[Outcome] = []
        failed: list[tuple[Message, Exception]] = []
        for some in (fresh, *([each[0].message] for each in again)):
            if some:
                done, not_done = self._decider.decide(some, left)
                outcomes += done
                failed += not_done
        return outcomes, failed

    def _received(self, records: Sequence[Mapping[str, Any]], again: list[str]) -> Sequence[Delivery]:
        """What the records carry; where that cannot be read, one by one, so that one fails alone."""
        try:
            return self._ports.read(records)
        except Exception as error:  # whatever it is, it must end at one record
            if len(records) == 1:
                record_id = records[0]["messageId"]
                expected = isinstance(error, Retryable)
                log.warning(
                    "record_unread", record=record_id, cause=str(error), exc_info=None if expected else error
                )
                self._meter.count("Failed")
                again.append(record_id)
                return []
        return [found for each in records for found in self._received([each], again)]

    def _settle(self, deliveries: Sequence[Delivery], act: Callable[[], bool], again: list[str]) -> None:
        """Do what is to be done; where that cannot be, or it is to come again, all its deliveries fail."""
        try:
            done = act()
        except Exception:
            log.exception("message_not_settled", transaction_id=deliveries[0].message.transaction_id)
            done = False
        if not done:
            again.extend(each.delivery_id for each in deliveries)

    def _bury(self, message: Message) -> bool:
        if not self._ports.failing.bury(message):
            return True
        cause = message.failures[-1].cause
        log.warning("message_buried", transaction_id=message.transaction_id, cause=cause)
        self._meter.count("DeadLettered")
        return True

    def _fail(self, deliveries: Sequence[Delivery], error: Exception) -> bool:
        """Whether nothing of it is to come again."""
        message, receives = deliveries[0].message, _receives(deliveries)
        if isinstance(error, Contended):
            self._ports.put_back([message])
            log.info("message_put_back", transaction_id=message.transaction_id, cause=str(error))
            self._meter.count("PutBack")
            return True
        failed = with_failure(message, error, self._ports.clock())
        if isinstance(error, Rejected) and not isinstance(error, Damaged):
            return self._bury(failed)
        log.warning(
            "message_failed",
            transaction_id=message.transaction_id,
            attempt=receives,
            cause=failed.failures[-1].cause,
            exc_info=None if isinstance(error, Retryable) else error,
        )
        self._meter.count("Failed")
        dead = receives >= self._max_receives
        open_still = self._ports.failing.note(failed, dead=dead)
        if dead and open_still:
            self._meter.count("DeadLettered")
        return not open_still


def _receives(deliveries: Sequence[Delivery]) -> int:
    return max(each.receives for each in deliveries)


def _unreadable(outcomes: Sequence[Outcome]) -> list[Message]:
    return [each.message for outcome in outcomes for each in outcome.work.unsettled]
