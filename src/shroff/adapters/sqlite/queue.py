"""The queue in SQLite: one file, appended to by the gateway, read by the worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from shroff.adapters.sqlite.database import Database, insert
from shroff.adapters.sqlite.rows import message_of
from shroff.adapters.sqlite.sql import statements
from shroff.ports import Entry, Message, Receipt

_SQL = statements("queue")


class SqliteQueue:
    """The durable line; an append is one commit with one fsync."""

    def __init__(self, path: Path | str) -> None:
        self._database = Database(path, "queue")

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Accept entries, each durable when this returns. Raises Retryable where none was accepted."""
        rows = [(each.transaction_id, each.body, each.received_at) for each in entries]
        with self._database.write() as connection:
            before = self.last()
            accepted = insert(connection, _SQL["insert"], rows)
            if accepted == len(entries):  # as nearly always: no need to look what was there
                return [_receipt(each, seq, "accepted") for seq, each in enumerate(entries, before + 1)]
            return list(self._compared(entries, before))

    def read(self, after: int, limit: int) -> list[Message]:
        """Up to `limit` messages whose seq is above `after`, in order."""
        return [message_of(row) for row in self._database.rows(_SQL["read"], (after, limit))]

    def find(self, transaction_id: str) -> Message | None:
        """The message that carries a transaction."""
        row = self._database.row(_SQL["find"], (transaction_id,))
        return None if row is None else message_of(row)

    def last(self) -> int:
        """The place of the newest message, which is also how many were accepted."""
        return self._database.number(_SQL["last"])

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(seq, transaction_id) of messages in order."""
        return [(seq, name) for seq, name in self._database.rows(_SQL["ids"], (after, limit))]

    def data_version(self) -> int:
        """A number that changes when another connection has appended; cheap to poll."""
        return self._database.data_version()

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _compared(self, entries: Sequence[Entry], before: int) -> Iterator[Receipt]:
        """Receipts where some ids were there before, or come twice among the entries."""
        ids = list({each.transaction_id for each in entries})
        held = {name: (seq, body) for name, seq, body in self._database.among(_SQL["held"], ids)}
        reached = before
        for each in entries:
            seq, body = held[each.transaction_id]
            if seq == reached + 1:  # new ids took their places in the order of the entries
                reached = seq
                yield _receipt(each, seq, "accepted")
            else:
                yield _receipt(each, seq, "repeated" if body == each.body else "conflict")


def _receipt(entry: Entry, seq: int, status: Literal["accepted", "repeated", "conflict"]) -> Receipt:
    return Receipt(transaction_id=entry.transaction_id, message_id=f"m-{seq:012d}", status=status)
