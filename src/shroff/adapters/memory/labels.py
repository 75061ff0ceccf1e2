"""The labels in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from shroff.adapters.memory.shelves import Shelves
from shroff.ports import Due, Label, Learned, Work

_TOGETHER = 25


class MemoryLabels:
    """Every label, and how far the worker has learned them."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def add(self, labels: Sequence[Label]) -> list[Literal["accepted", "repeated"]]:
        """Keep labels; those that are there already change nothing."""
        statuses: list[Literal["accepted", "repeated"]] = []
        with self._shelves.changing():
            for label in labels:
                repeated = self._is_repeated(label)
                statuses.append("repeated" if repeated else "accepted")
                if not repeated:
                    self._shelves.labels.append(replace(label, number=len(self._shelves.labels) + 1))
        return statuses

    def after(self, number: int, limit: int) -> list[Label]:
        """Labels in the order of arrival."""
        with self._shelves.lock:
            return self._shelves.labels[number : number + limit]

    def of(self, transaction_ids: Sequence[str]) -> list[Label]:
        """Every label of these transactions, in the order of arrival."""
        wanted = set(transaction_ids)
        with self._shelves.lock:
            return [label for label in self._shelves.labels if label.transaction_id in wanted]

    def counts(self) -> dict[str, int]:
        """fraud, legitimate, learned and passed."""
        with self._shelves.lock:
            frauds = sum(label.fraud for label in self._shelves.labels)
            return {
                "fraud": frauds,
                "legitimate": len(self._shelves.labels) - frauds,
                "learned": len(self._shelves.learned),
                "passed": len(self._shelves.passed),
            }

    def due(self, known_at: int, limit: int) -> list[Due]:
        """Not learned yet, known by then, their transactions decided; by known_at, then by arrival."""
        with self._shelves.lock:
            shelves = self._shelves
            done = shelves.taken()
            found = [
                label for label in shelves.labels
                if label.known_at <= known_at
                and label.number not in done
                and label.transaction_id in shelves.records
            ]  # fmt: skip
            words = self._words()
        found.sort(key=_when)
        return [
            Due(
                label=label,
                transaction=shelves.records[label.transaction_id].transaction,
                word=words.get(label.transaction_id),
            )
            for label in found[:limit]
        ]

    def pending(self, now: int) -> Iterator[list[str]]:
        """Ids of transactions with labels that are known by now and wait, some at a time, oldest first."""
        with self._shelves.lock:
            done, put_off = self._shelves.taken(), self._shelves.put_off
            found = [
                each for each in self._shelves.labels
                if max(each.known_at, put_off.get(each.number, 0)) <= now and each.number not in done
            ]  # fmt: skip
        ids = list(dict.fromkeys(each.transaction_id for each in sorted(found, key=_when)))
        for start in range(0, len(ids), _TOGETHER):
            yield ids[start : start + _TOGETHER]

    def due_of(self, transaction_ids: Sequence[str], now: int) -> tuple[list[Due], list[Label]]:
        """Of these transactions' labels what is due, and what waits for its transaction."""
        wanted = set(transaction_ids)
        due = [each for each in self.due(now, len(self._shelves.labels))
               if each.label.transaction_id in wanted]  # fmt: skip
        waiting = [
            each for each in self.of(transaction_ids) if each.transaction_id not in self._shelves.records
        ]
        return due, waiting

    def put_off(self, until: Sequence[tuple[Label, int]]) -> None:
        """Labels that are not looked for again before a moment, each with its own."""
        with self._shelves.changing():
            self._shelves.put_off.update((label.number, moment) for label, moment in until)

    def learned(self, after: int, limit: int) -> list[Learned]:
        """What was learned, in the order of the records before which it was."""
        with self._shelves.lock:
            rows = sorted(self._shelves.learned, key=lambda each: each[1])[after : after + limit]
        labels = [self._shelves.labels[number - 1] for number, _ in rows]
        return [
            Learned(
                place=place,
                before=before,
                label=label,
                transaction=self._shelves.records[label.transaction_id].transaction,
            )
            for place, ((_, before), label) in enumerate(zip(rows, labels, strict=True), after + 1)
        ]

    def _words(self) -> dict[str, Label]:
        """The last word of each transaction that was learned or passed."""
        done = [*(number for number, _ in self._shelves.learned), *self._shelves.passed]
        labels = sorted((self._shelves.labels[number - 1] for number in done), key=_when)
        return {label.transaction_id: label for label in labels}

    def _is_repeated(self, label: Label) -> bool:
        before = [
            each for each in self._shelves.labels
            if (each.transaction_id, each.source) == (label.transaction_id, label.source)
        ]  # fmt: skip
        if not label.stated:
            return bool(before) and before[-1].fraud == label.fraud
        return any((each.fraud, each.known_at) == (label.fraud, label.known_at) for each in before)


def learn(shelves: Shelves, work: Work, first: int) -> None:
    """Keep what a work has learned, its records numbered on from `first`."""
    shelves.learned += [(each.number, first + each.row) for each in work.learned]
    shelves.passed.update(work.passed)


def _when(label: Label) -> tuple[int, int]:
    return label.known_at, label.number
