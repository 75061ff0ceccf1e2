"""Labelled history: the rows of a file as one batch in the order of time, and beside it what came true.

The label leaves a row before anything else reads it. No feature, rule or attribute can ask for it: it is not
there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from shroff.core.columns import Batch, objects
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.transaction import TEXTS, Transaction, parse
from shroff.flows.load import Rows

LABEL = "label"
"""What a file's column of labels is mapped to."""

_FRAUD = frozenset({"1", "true", "fraud"})
_LEGITIMATE = frozenset({"0", "false", "legitimate"})
_SHOWN = 5

Show = Callable[[int, int], None]
"""Told how much of the file is read, and how many rows that were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """n transactions in the order of time, and what is known of them at last."""

    batch: Batch
    fraud: Array
    """[n] bool; False also where nobody knows."""
    labelled: Array
    """[n] bool: whether anybody ever knows."""
    rejected: int = 0
    """Rows that could not be read."""

    def __len__(self) -> int:
        return len(self.batch)


def label_of(mapping: Mapping[str, str]) -> str:
    """The column of the labels. Raises Rejected where there is none, or where it is to be read as more."""
    column = mapping.get(LABEL)
    if column is None:
        raise Rejected([Fault(LABEL, f"say which column tells frauds: --map {LABEL}=COLUMN")])
    others = [member for member, name in mapping.items() if name == column and member != LABEL]
    if others:
        sentence = f"column {column} is the label: it cannot be {' or '.join(others)} too"
        raise Rejected([Fault(LABEL, sentence)])
    return column


def read_history(
    rows: Rows, *, currency: str, since: int = 0, until: int, show: Show, labels: bool = True
) -> History:
    """The transactions of a file that occurred in [since, until) ms, sorted by time.

    A label is 1, true or fraud, or 0, false or legitimate; any other value is no label. Raises Rejected where
    no fraud or nothing legitimate is left, unless there need not be `labels`; where there is nothing at all;
    or where the file is damaged.
    """
    reader = _Reader(currency, since, until, labels)
    for chunk in rows.chunks(0):
        reader.read(chunk.rows)
        show(chunk.consumed, reader.rows)
    return reader.history()


@dataclass(slots=True)
class _Reader:
    """Rows become columns chunk by chunk: as transactions, history would not fit in memory."""

    currency: str
    since: int
    until: int
    needs_labels: bool
    rows: int = 0
    rejected: int = 0
    batches: list[Batch] = field(default_factory=list)
    labels: list[Array] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    """One copy of each text, which comes back in many rows."""

    def read(self, rows: Sequence[Mapping[str, Any] | Rejected]) -> None:
        found = list(self._transactions(rows))
        self.rows += len(rows)
        if found:
            self.batches.append(self._pooled(Batch.of([transaction for transaction, _ in found])))
            self.labels.append(np.array([label for _, label in found], np.int8))

    def history(self) -> History:
        labels = np.concatenate(self.labels) if self.labels else np.empty(0, np.int8)
        if not len(labels) and not self.needs_labels:
            raise Rejected([Fault("file", "there is no transaction that can be read")])
        if self.needs_labels and (not (labels == 1).any() or not (labels == 0).any()):
            kind = "is a fraud" if not (labels == 1).any() else "is legitimate"
            seen = ", ".join(f'"{value}"' for value, _ in self.others.most_common(_SHOWN))
            other = f"; other labels there: {seen}" if seen else ""
            raise Rejected([Fault(LABEL, f"no row of these days {kind} by its label{other}")])
        whole = joined(self.batches)
        order = np.argsort(whole.occurred_at, kind="stable")
        return History(
            batch=taken(whole, order),
            fraud=labels[order] == 1,
            labelled=labels[order] >= 0,
            rejected=self.rejected,
        )

    def _transactions(
        self, rows: Sequence[Mapping[str, Any] | Rejected]
    ) -> Iterator[tuple[Transaction, int]]:
        for row in rows:
            try:
                if isinstance(row, Rejected):
                    raise row
                members = dict(row)
                label = members.pop(LABEL, None)
                transaction = parse(members, currency=self.currency)
            except Rejected:
                self.rejected += 1
                continue
            if self.since <= transaction.occurred_at < self.until:
                yield transaction, self._label(label)

    def _label(self, value: object) -> int:
        """1 fraud, 0 legitimate, -1 nobody knows."""
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if text in _FRAUD:
            return 1
        if text in _LEGITIMATE:
            return 0
        if value not in (None, ""):
            self.others[text] += 1
        return -1

    def _pooled(self, batch: Batch) -> Batch:
        pool = self.texts
        for column in batch.texts.values():
            column[:] = [None if value is None else pool.setdefault(value, value) for value in column]
        return batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches one after the other."""
    columns = ("transaction_id", "occurred_at", "amount_minor", "currency", "latitude", "longitude")
    return Batch(
        **{name: np.concatenate([getattr(each, name) for each in batches]) for name in columns},
        texts={name: np.concatenate([each.texts[name] for each in batches]) for name in TEXTS},
        # An array, because rows are taken of it day after day.
        attributes=cast("Any", objects(found for each in batches for found in each.attributes)),
    )


def taken(batch: Batch, rows: Array | slice) -> Batch:
    """Some rows of a batch that `joined` made, in the order in which they are named."""
    return Batch(
        transaction_id=batch.transaction_id[rows],
        occurred_at=batch.occurred_at[rows],
        amount_minor=batch.amount_minor[rows],
        currency=batch.currency[rows],
        texts={name: column[rows] for name, column in batch.texts.items()},
        latitude=batch.latitude[rows],
        longitude=batch.longitude[rows],
        attributes=cast("Any", batch.attributes)[rows],
    )
