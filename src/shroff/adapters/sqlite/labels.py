"""The labels in SQLite: all that came, what is to be learned, and what was learned where."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

from shroff.adapters.sqlite.database import Database, Row
from shroff.adapters.sqlite.sql import statements
from shroff.codec import decode_transaction
from shroff.ports import Due, Label, Learned, Work

_SQL = statements("labels")


class SqliteLabels:
    """Every label, and how far the worker has learned them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, labels: Sequence[Label]) -> list[Literal["accepted", "repeated"]]:
        """Keep labels in one commit; those that are there already change nothing."""
        statuses: list[Literal["accepted", "repeated"]] = []
        with self._database.write() as connection:
            for label in labels:
                repeated = _is_repeated(connection, label)
                statuses.append("repeated" if repeated else "accepted")
                if not repeated:
                    _keep(connection, label)
        return statuses

    def after(self, number: int, limit: int) -> list[Label]:
        """Labels in the order of arrival."""
        return [_label_of(row) for row in self._database.rows(_SQL["after"], (number, limit))]

    def of(self, transaction_ids: Sequence[str]) -> list[Label]:
        """Every label of these transactions, in the order of arrival."""
        if not self._database.number(_SQL["any"]):
            return []
        found = self._database.among(_SQL["of"], list(dict.fromkeys(transaction_ids)))
        return sorted(map(_label_of, found), key=lambda each: each.number)

    def counts(self) -> dict[str, int]:
        """fraud, legitimate, learned and passed."""
        return dict(self._database.rows(_SQL["counts"]))

    def due(self, known_at: int, limit: int) -> list[Due]:
        """Not learned yet, known by then, their transactions decided; by known_at, then by arrival."""
        rows = self._database.rows(_SQL["due"], (known_at, limit))
        words = self._words([row[1] for row in rows])
        return [
            Due(label=_label_of(row), transaction=decode_transaction(row[7]), word=words.get(row[1]))
            for row in rows
        ]

    def learned(self, after: int, limit: int) -> list[Learned]:
        """What was learned, in that order."""
        return [
            Learned(place=row[8], before=row[9], label=_label_of(row), transaction=decode_transaction(row[7]))
            for row in self._database.rows(_SQL["learned"], (after, limit))
        ]

    def _words(self, transaction_ids: Sequence[str]) -> dict[str, Label]:
        """The last word of each of these decided transactions that was learned or passed."""
        found = self._database.among(_SQL["words"], list(dict.fromkeys(transaction_ids)))
        learned = sorted(map(_label_of, found), key=lambda each: (each.known_at, each.number))
        return {label.transaction_id: label for label in learned}


def learn(connection: sqlite3.Connection, work: Work) -> None:
    """Keep what a work has learned, before its transactions are decided: their places follow."""
    if not work.learned and not work.passed:
        return
    first = connection.execute(_SQL["newest record"]).fetchone()[0] + 1
    connection.executemany(_SQL["learn"], [(each.number, first + each.row) for each in work.learned])
    for name, count in (("learned", len(work.learned)), ("passed", len(work.passed))):
        connection.execute(_SQL["count"], (count, name))


def settle(connection: sqlite3.Connection, work: Work) -> None:
    """Labels that waited for the transactions of a work wait no longer, and what was due is done."""
    if connection.execute(_SQL["any"]).fetchone() == (0,):
        return
    connection.executemany(
        _SQL["to learn of decided"], [(decision.transaction_id,) for _, _, decision in work.decided]
    )
    numbers = [*(each.number for each in work.learned), *work.passed]
    connection.executemany(_SQL["done"], [(number,) for number in numbers])


def _is_repeated(connection: sqlite3.Connection, label: Label) -> bool:
    if not label.stated:
        cells = (label.transaction_id, label.source)
        word = connection.execute(_SQL["newest word"], cells).fetchone()
        return word is not None and bool(word[0]) == label.fraud
    same = (label.transaction_id, label.fraud, label.source, label.known_at)
    return bool(connection.execute(_SQL["same"], same).fetchone()[0])


def _keep(connection: sqlite3.Connection, label: Label) -> None:
    cells = (
        label.transaction_id, label.fraud, label.source, label.known_at, label.received_at, label.stated
    )  # fmt: skip
    number = connection.execute(_SQL["add"], cells).lastrowid
    connection.execute(_SQL["to learn if decided"], (label.known_at, number, label.transaction_id))
    connection.execute(_SQL["count"], (1, "fraud" if label.fraud else "legitimate"))


def _label_of(row: Row) -> Label:
    number, transaction_id, fraud, source, known_at, received_at, stated = row[:7]
    return Label(
        transaction_id=transaction_id,
        fraud=bool(fraud),
        source=source,
        known_at=known_at,
        received_at=received_at,
        stated=bool(stated),
        number=number,
    )
