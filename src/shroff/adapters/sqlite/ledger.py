"""The ledger in SQLite: what became of every transaction, a batch a commit."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shroff.adapters.sqlite.alerts import keep_alerts
from shroff.adapters.sqlite.database import Database, Row, insert
from shroff.adapters.sqlite.labels import learn, settle
from shroff.adapters.sqlite.rows import failed_message_cells, failed_message_of, record_of
from shroff.adapters.sqlite.sql import statements
from shroff.codec import encode_reasons
from shroff.core.decision import Decision
from shroff.core.policy import OUTCOMES
from shroff.core.transaction import Transaction
from shroff.ports import Fate, Message, Record, Unsettled, Work

_SQL = statements("ledger")
_CHUNK = 5_000
_FATES: tuple[Fate, ...] = ("decided", "retrying", "dead_lettered")
_PLACES = {outcome: place for place, outcome in enumerate(OUTCOMES)}


class SqliteLedger:
    """What became of every accepted transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def commit(self, work: Work) -> None:
        """Keep all of the work or none of it. Raises ValueError for an id decided before, or a step back."""
        try:
            with self._database.write() as connection:
                learn(connection, work)
                _decide(connection, work)
                settle(connection, work)
                self._refuse_decided(work.unsettled)
                _forget(connection, work)
                _unsettle(connection, work.unsettled)
                keep_alerts(connection, work.alerts, count_hits=True)
                _advance(connection, work.position)
        except sqlite3.IntegrityError as error:
            raise ValueError(f"decided before: {self._decided_twice(work)}") from error

    def position(self) -> int:
        """The queue is done up to here."""
        return self._database.number(_SQL["position"])

    def fates(self, transaction_ids: Sequence[str]) -> dict[str, Fate]:
        """What became of each; an id without a fate is left out."""
        found: dict[str, Fate] = {}
        with self._database.snapshot():
            for fate in _FATES:
                if self._database.number(_SQL[f"any {fate}"]):
                    rest = [each for each in transaction_ids if each not in found]
                    found |= {name: fate for (name,) in self._database.among(_SQL[f"{fate} among"], rest)}
        return found

    def due(self, now: int, limit: int) -> list[Message]:
        """Messages whose next attempt is due."""
        return [failed_message_of(row) for row in self._database.rows(_SQL["due"], (now, limit))]

    def find(self, transaction_id: str) -> Record | None:
        """The record of a decided transaction."""
        row = self._database.row(_SQL["find"], (transaction_id,))
        return None if row is None else record_of(row)

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        """Records with start <= occurred_at < end, by occurred_at, then transaction_id.

        Read a chunk at a time from where the last one ended, so that no writer ever waits for a reader.
        """
        after: tuple[int, str] = (start, "")
        while rows := self._database.rows(_SQL["between"], (*after, end, _CHUNK)):
            records = [record_of(row) for row in rows]
            yield records
            last = records[-1].transaction
            after = (last.occurred_at, last.transaction_id)

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        """Records in the order in which they were observed."""
        while rows := self._database.rows(_SQL["history"], (after, _CHUNK)):
            yield [record_of(row) for row in rows]
            after = rows[-1][0]

    def newest(self) -> int | None:
        """The latest occurred_at but for three, whose clocks may be ahead; None for fewer than four."""
        row = self._database.row(_SQL["newest"])
        return None if row is None else row[0]

    def totals(self) -> dict[str, int]:
        """decided, retrying, dead_lettered (discarded ones too), alerts, and one `outcome.NAME` each."""
        none = {f"outcome.{outcome}": 0 for outcome in OUTCOMES}
        return none | dict(self._database.rows(_SQL["totals"]))

    def _refuse_decided(self, unsettled: Sequence[Unsettled]) -> None:
        ids = [each.message.transaction_id for each in unsettled]
        for (name,) in self._database.among(_SQL["decided among"], ids):
            raise ValueError(f"decided before: {name}")

    def _decided_twice(self, work: Work) -> str:
        ids = [decision.transaction_id for _, _, decision in work.decided]
        twice = {name for name, times in Counter(ids).items() if times > 1}
        before = {name for (name,) in self._database.among(_SQL["decided among"], ids)}
        return ", ".join(sorted(twice | before))


def _cells(
    message: Message, transaction: Transaction, decision: Decision, versions: Mapping[str, int]
) -> Row:
    return (
        transaction.transaction_id,
        transaction.occurred_at,
        message.received_at,
        decision.decided_at,
        _PLACES[decision.outcome],
        decision.score,
        versions[decision.policy_version],
        message.body,
        encode_reasons(decision.reasons) if decision.reasons else None,
        decision.snapshot,
    )


def _decide(connection: sqlite3.Connection, work: Work) -> None:
    decisions = [decision for _, _, decision in work.decided]
    new = {decision.policy_version for decision in decisions}
    connection.executemany(_SQL["keep version"], [(version,) for version in new])
    versions = dict(connection.execute(_SQL["versions"]))
    insert(connection, _SQL["decide"], [_cells(*each, versions) for each in work.decided])
    outcomes = Counter(decision.outcome for decision in decisions)
    connection.executemany(_SQL["count"], [(f"outcome.{name}", n) for name, n in outcomes.items()])


def _forget(connection: sqlite3.Connection, work: Work) -> None:
    """A transaction has one fate: what is decided is neither retried nor dead."""
    if connection.execute(_SQL["waiting"]).fetchone() == (0,):
        return
    decided = [(decision.transaction_id,) for _, _, decision in work.decided]
    connection.executemany(_SQL["forget letter"], decided)
    connection.executemany(_SQL["forget retry"], decided + [(name,) for name in work.settled])


def _unsettle(connection: sqlite3.Connection, unsettled: Sequence[Unsettled]) -> None:
    for each in unsettled:
        message = each.message
        cells = failed_message_cells(message)
        if each.due_at is None:
            connection.execute(_SQL["forget retry"], (message.transaction_id,))
            connection.execute(_SQL["bury"], (*cells, _died_at(message)))
        else:
            connection.execute(_SQL["forget letter"], (message.transaction_id,))
            connection.execute(_SQL["retry"], (*cells, each.due_at))


def _died_at(message: Message) -> int:
    return message.failures[-1].at if message.failures else message.received_at


def _advance(connection: sqlite3.Connection, position: int | None) -> None:
    if position is not None and connection.execute(_SQL["advance"], (position,)).rowcount == 0:
        raise ValueError(f"the queue was done beyond {position} before")
