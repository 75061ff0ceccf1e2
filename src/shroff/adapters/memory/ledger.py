"""The ledger in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shroff.adapters.memory.alerts import keep_alerts
from shroff.adapters.memory.labels import learn
from shroff.adapters.memory.shelves import CHUNK, Shelves
from shroff.core.decision import Decision
from shroff.core.policy import OUTCOMES
from shroff.core.transaction import Transaction
from shroff.ports import DeadLetter, Fate, Message, Record, Unsettled, Work


class MemoryLedger:
    """What became of every accepted transaction."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._position = 0

    def commit(self, work: Work) -> None:
        """Keep all of the work or none of it. Raises ValueError for an id decided before, or a step back."""
        with self._shelves.changing():
            self._refuse(work)
            self.keep(work, len(self._shelves.records) + 1)

    def keep(self, work: Work, first: int) -> None:
        """Keep work that was looked at, its records numbered on from `first`."""
        with self._shelves.changing():
            learn(self._shelves, work, first)
            for seq, each in enumerate(work.decided, first):
                self._decide(seq, *each)
            for transaction_id in work.settled:
                self._shelves.retries.pop(transaction_id, None)
            for unsettled in work.unsettled:
                self._unsettle(unsettled)
            keep_alerts(self._shelves, work.alerts, count_hits=True)
            self._position = self._position if work.position is None else work.position

    def position(self) -> int:
        """The queue is done up to here."""
        return self._position

    def fates(self, transaction_ids: Sequence[str]) -> dict[str, Fate]:
        """What became of each; an id without a fate is left out."""
        with self._shelves.lock:
            fates = ((each, self._fate(each)) for each in transaction_ids)
            return {each: fate for each, fate in fates if fate is not None}

    def due(self, now: int, limit: int) -> list[Message]:
        """Messages whose next attempt is due."""
        with self._shelves.lock:
            due = [each for each in self._shelves.retries.values() if each[0] <= now]
        due.sort(key=lambda each: (each[0], each[1].seq))
        return [message for _, message in due[:limit]]

    def find(self, transaction_id: str) -> Record | None:
        """The record of a decided transaction."""
        return self._shelves.records.get(transaction_id)

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        """Records with start <= occurred_at < end, by occurred_at, then transaction_id."""
        found = [each for each in self._records() if start <= each.transaction.occurred_at < end]
        found.sort(key=lambda each: (each.transaction.occurred_at, each.transaction.transaction_id))
        yield from _chunks(found)

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        """Records in the order in which they were observed."""
        yield from _chunks(self._records()[after:])

    def newest(self) -> int | None:
        """The latest occurred_at but for three, whose clocks may be ahead; None for fewer than four."""
        times = sorted(each.transaction.occurred_at for each in self._records())
        return times[-4] if len(times) > 3 else None

    def totals(self) -> dict[str, int]:
        """decided, retrying, dead_lettered (discarded ones too), alerts, and one `outcome.NAME` each."""
        with self._shelves.lock:
            outcomes = Counter(each.decision.outcome for each in self._shelves.records.values())
            return {
                "decided": len(self._shelves.records),
                "retrying": len(self._shelves.retries),
                "dead_lettered": len(self._shelves.letters),
                "alerts": len(self._shelves.alerts),
            } | {f"outcome.{outcome}": outcomes[outcome] for outcome in OUTCOMES}

    def _records(self) -> list[Record]:
        with self._shelves.lock:
            return list(self._shelves.records.values())

    def _refuse(self, work: Work) -> None:
        ids = [decision.transaction_id for _, _, decision in work.decided]
        unsettled = [each.message.transaction_id for each in work.unsettled]
        twice = {name for name, times in Counter(ids).items() if times > 1}
        again = twice | (self._shelves.records.keys() & {*ids, *unsettled}) | {*ids} & {*unsettled}
        if again:
            raise ValueError(f"decided before: {', '.join(sorted(again))}")
        if work.position is not None and work.position < self._position:
            raise ValueError(f"the queue was done beyond {work.position} before")

    def _decide(self, seq: int, message: Message, transaction: Transaction, decision: Decision) -> None:
        shelves, transaction_id = self._shelves, transaction.transaction_id
        shelves.retries.pop(transaction_id, None)
        shelves.letters.pop(transaction_id, None)
        shelves.records[transaction_id] = Record(
            seq=seq,
            transaction=transaction,
            received_at=message.received_at,
            decision=decision,
        )

    def _unsettle(self, unsettled: Unsettled) -> None:
        message, shelves = unsettled.message, self._shelves
        if unsettled.due_at is not None:
            shelves.letters.pop(message.transaction_id, None)
            shelves.retries[message.transaction_id] = (unsettled.due_at, message)
            return
        shelves.retries.pop(message.transaction_id, None)
        before = shelves.letters.get(message.transaction_id)
        shelves.letters[message.transaction_id] = DeadLetter(
            message=message,
            died_at=message.failures[-1].at if message.failures else message.received_at,
            discarded=before is not None and before.discarded,
        )

    def _fate(self, transaction_id: str) -> Fate | None:
        if transaction_id in self._shelves.records:
            return "decided"
        if transaction_id in self._shelves.retries:
            return "retrying"
        return "dead_lettered" if transaction_id in self._shelves.letters else None


def _chunks(records: list[Record]) -> Iterable[list[Record]]:
    return (records[start : start + CHUNK] for start in range(0, len(records), CHUNK))
