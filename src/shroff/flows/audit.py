"""Conservation: accepted = decided + dead-lettered + in flight, by id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from shroff.flows.moment import moment_of
from shroff.ports import DeadLetters, Ledger, Message, Queue

_CHUNK = 10_000
_END_OF_TIME = _ALL = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How many transactions were accepted, and where each of them is."""

    accepted: int
    decided: int
    dead_lettered: int
    in_flight: int
    missing: tuple[str, ...]
    strays: int = 0
    """Decisions of what was never accepted, or is a dead letter or in flight as well."""

    @property
    def clean(self) -> bool:
        """Whether every accepted transaction is in one place, and nothing else is anywhere."""
        return not self.missing and not self.strays

    def members(self) -> dict[str, int | list[str]]:
        """The audit as its JSON members."""
        members = asdict(self) | {"missing": list(self.missing)}
        del members["strays"]
        return members


def audit(queue: Queue, ledger: Ledger, after: int = 0) -> Audit:
    """Follow every accepted id to its decision, its dead letter, or its place in the line.

    Begins after a place in the queue; only an audit of all looks for strays. May run beside a working
    pipeline: the position is read first, so what is decided meanwhile counts as decided and what is
    accepted meanwhile as in flight.
    """
    decided, position = (0 if after else ledger.totals()["decided"]), ledger.position()
    counts = {"decided": 0, "dead_lettered": 0, "retrying": 0, "waiting": 0}
    missing: list[str] = []
    while chunk := queue.ids(after, _CHUNK):
        fates = ledger.fates([transaction_id for _, transaction_id in chunk])
        for seq, transaction_id in chunk:
            fate = fates.get(transaction_id)
            if fate is not None:
                counts[fate] += 1
            elif seq > position:
                counts["waiting"] += 1
            else:
                missing.append(transaction_id)
        after = chunk[-1][0]
    return Audit(
        accepted=sum(counts.values()) + len(missing),
        decided=counts["decided"],
        dead_lettered=counts["dead_lettered"],
        in_flight=counts["retrying"] + counts["waiting"],
        missing=tuple(missing),
        strays=max(0, decided - counts["decided"]),
    )


def audit_between(  # noqa: PLR0913  # a port for each thing it asks
    queue: Queue,
    ledger: Ledger,
    dead_letters: DeadLetters,
    *,
    start: int,
    end: int,
    after: int = 0,
    decided: int | None = None,
) -> Audit:
    """The audit of those transactions that occurred in a span of time.

    `after` is a place of the queue up to which everything is known to have a fate, `decided` how many of them
    were decided, where that was counted already.
    """
    missing = [queue.find(transaction_id) for transaction_id in audit(queue, ledger, after).missing]
    if decided is None:
        decided = sum(map(len, ledger.between(start, end)))
    dead = sum(_occurred(letter.message, start, end) for letter in dead_letters.all())
    flying = sum(_occurred(message, start, end) for message in _in_flight(after, queue, ledger))
    lost = tuple(each.transaction_id for each in missing if each is not None and _occurred(each, start, end))
    return Audit(
        accepted=decided + dead + flying + len(lost),
        decided=decided,
        dead_lettered=dead,
        in_flight=flying,
        missing=lost,
    )


def _in_flight(after: int, queue: Queue, ledger: Ledger) -> Iterator[Message]:
    yield from ledger.due(_END_OF_TIME, _ALL)
    after = max(after, ledger.position())
    while messages := queue.read(after, _CHUNK):
        yield from messages
        after = messages[-1].seq


def _occurred(message: Message, start: int, end: int) -> bool:
    return start <= moment_of(message) < end
