"""Learning labels: each from the moment on at which it was known, and at the same place whenever history is
observed again.

::

    accepted ── its transaction is decided ── one occurs at known_at or later ── learned before it, or passed

Learned is a word that is new; passed is one that repeats the last word of its transaction, or is older.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.labels import Labelled
from shroff.core.transaction import Transaction
from shroff.ports import FOREVER, Due, Learned, LearnedLabels, Taken

_ALL = 2**31
_TOGETHER = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is to be learned within a batch, and where."""

    labelled: Labelled | None = None
    """None where nothing is new."""
    before: Array | None = None
    """[k] int64, ascending: each label is learned just before this row of the batch."""
    learned: Sequence[Taken] = ()
    passed: Sequence[int] = ()


def lessons(transactions: Sequence[Transaction], labels: LearnedLabels, now: int) -> Lessons:
    """What is due within a batch that is about to be observed: each label before the first row that occurs
    at its known_at or later, and after its own transaction. What is not due by the last row waits.
    """
    latest = np.maximum.accumulate(np.array([each.occurred_at for each in transactions], np.int64))
    until = min(now, int(latest[-1]))
    due = [(0, each) for each in labels.due(until, _ALL)] + _own(transactions, labels, until)
    if not due:
        return Lessons()
    placed = [(max(first, int(np.searchsorted(latest, each.label.known_at))), each) for first, each in due]
    placed = [each for each in placed if each[0] < len(transactions)]
    placed.sort(key=lambda each: (each[0], each[1].label.known_at, each[1].label.number))
    new, passed = _numbered(sift([each for _, each in placed]))
    rows = {each.label.number: row for row, each in placed}
    return _lessons(new, [rows[each.label.number] for each in new], passed)


def arrears(labels: LearnedLabels, until: int) -> Lessons | None:
    """What was due before any row of a batch, where that is too much to be learned together with it."""
    due = labels.due(until, _TOGETHER)
    if len(due) < _TOGETHER:
        return None
    new, passed = _numbered(sift(due))
    return _lessons(new, [0] * len(new), passed)


def _lessons(new: Sequence[Due], before: Sequence[int], passed: Sequence[int]) -> Lessons:
    if not new:
        return Lessons(passed=passed)
    return Lessons(
        labelled=labelled_of(new),
        before=np.array(before, np.int64),
        learned=[Taken(number=each.label.number, row=row) for each, row in zip(new, before, strict=True)],
        passed=passed,
    )


def _own(transactions: Sequence[Transaction], labels: LearnedLabels, until: int) -> list[tuple[int, Due]]:
    """Labels that came before their transactions did, each with the row after its own."""
    rows = {each.transaction_id: row for row, each in enumerate(transactions)}
    return [
        (
            rows[label.transaction_id] + 1,
            Due(label=label, transaction=transactions[rows[label.transaction_id]], word=None),
        )
        for label in labels.of(list(rows))
        if label.known_at <= until
    ]


def _numbered(sifted: tuple[list[Due], list[Due]]) -> tuple[list[Due], list[int]]:
    new, passed = sifted
    return new, [each.label.number for each in passed]


def sift(due: Sequence[Due]) -> tuple[list[Due], list[Due]]:
    """Those that say something new, to be learned, and the others, to be passed; in the order given."""
    words = {each.label.transaction_id: each.word for each in due}
    new, passed = [], []
    for each in due:
        label, word = each.label, words[each.label.transaction_id]
        older = word is not None and (label.known_at, label.number) < (word.known_at, word.number)
        if older or (word is not None and word.fraud == label.fraud):
            passed.append(each)
        else:
            new.append(each)
        if not older:
            words[label.transaction_id] = label
    return new, passed


class Told(Protocol):
    """Whoever tells what was learned, as `LearnedLabels` does."""

    def learned(self, after: int, limit: int) -> list[Learned]:
        """What was learned, by `before`."""


@dataclass(slots=True)
class Relearning:
    """What was learned, read again along history."""

    labels: Told | None
    place: int = 0
    """Of the label that was handed over last."""
    _read: list[Learned] = field(default_factory=list)

    def until(self, seq: int) -> Iterator[Learned]:
        """What was learned up to just before record `seq`, from where this stands on."""
        while self._fill() and self._read[0].before <= seq:
            self.place = self._read[0].place
            yield self._read.pop(0)

    def _fill(self) -> bool:
        if not self._read and self.labels is not None:
            self._read = self.labels.learned(self.place, _TOGETHER)
        return bool(self._read)


class InTime:
    """What many workers learned, in the order of time: `before` is the moment from which each was known.

    For history that comes in that order, in which places of its own each of their records has.
    """

    def __init__(self, labels: Told) -> None:
        self._labels = labels

    def learned(self, after: int, limit: int) -> list[Learned]:
        """As labels say, but that a label waits for its own transaction."""
        return self._all[after : after + limit]

    @cached_property
    def _all(self) -> list[Learned]:
        known = [
            replace(each, before=max(each.label.known_at, each.transaction.occurred_at + 1))
            for each in Relearning(self._labels).until(FOREVER)
        ]
        known.sort(key=lambda each: (each.before, each.label.number))
        return [replace(each, place=place) for place, each in enumerate(known, 1)]


def labelled_of(learned: Sequence[Learned | Due]) -> Labelled:
    """What the core learns of these."""
    return Labelled(
        batch=Batch.of([each.transaction for each in learned]),
        fraud=np.array([each.label.fraud for each in learned], bool),
        # Nobody knows of a fraud before it happens.
        known_at=np.array(
            [max(each.label.known_at, each.transaction.occurred_at) for each in learned], np.int64
        ),
    )


def rows_before(learned: Sequence[Learned], seqs: Sequence[int]) -> Array:
    """Just before which of the records with these ascending `seq` each was learned: [k] int64."""
    rows: Array = np.searchsorted(seqs, [each.before for each in learned]).astype(np.int64)
    return rows
