"""The queue in memory."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock

from shroff.ports import Entry, Message, Receipt


class MemoryQueue:
    """The line between gateway and worker, as durable as the process."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._places: dict[str, int] = {}
        self._lock = RLock()

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Accept entries in their order."""
        with self._lock:
            return [self._append(each) for each in entries]

    def read(self, after: int, limit: int) -> list[Message]:
        """Up to `limit` messages whose seq is above `after`, in order."""
        return self._messages[after : after + limit]

    def find(self, transaction_id: str) -> Message | None:
        """The message that carries a transaction."""
        place = self._places.get(transaction_id)
        return None if place is None else self._messages[place - 1]

    def last(self) -> int:
        """The place of the newest message, which is also how many were accepted."""
        return len(self._messages)

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(seq, transaction_id) of messages in order."""
        return [(each.seq, each.transaction_id) for each in self.read(after, limit)]

    def data_version(self) -> int:
        """A number that changes when something was appended."""
        return len(self._messages)

    def close(self) -> None:
        """Nothing to close."""

    def _append(self, entry: Entry) -> Receipt:
        held = self.find(entry.transaction_id)
        if held is None:
            seq = len(self._messages) + 1
            self._messages.append(
                Message(
                    seq=seq,
                    transaction_id=entry.transaction_id,
                    body=entry.body,
                    received_at=entry.received_at,
                )
            )
            self._places[entry.transaction_id] = seq
            return Receipt(transaction_id=entry.transaction_id, message_id=f"m-{seq:012d}", status="accepted")
        return Receipt(
            transaction_id=entry.transaction_id,
            message_id=f"m-{held.seq:012d}",
            status="repeated" if held.body == entry.body else "conflict",
        )
