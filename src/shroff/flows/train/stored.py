"""Labelled history from the store of a running system: what it decided, and what it was told since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.flows.evaluate.history import History, joined, taken
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import NEVER
from shroff.flows.train.asked import Show
from shroff.ports import FOREVER, Label, Labels, Ledger

_TOGETHER = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAt:
    """When each label of a history becomes known, [n] int64 ms; NEVER where it does not."""

    features: Array
    """To features: of what somebody said."""
    training: Array
    """To training: also of what was presumed, as nobody said anything for so long."""


def stored_history(
    ledger: Ledger, labels: Labels, *, mature_days: int | None = None, show: Show
) -> tuple[History, KnownAt]:
    """The stored transactions by time, each with the last word on it and when that became known.

    After `mature_days` what nobody has said anything of counts as legitimate; with None it counts as
    nothing. Raises Rejected where no fraud is known, or nothing legitimate.
    """
    batch = _stored(ledger, show)
    words = _words(labels)
    last = [words.get(each) for each in batch.transaction_id]
    said = np.array([word is not None for word in last], bool)
    fraud = np.array([word is not None and word.fraud for word in last], bool)
    known_at = np.array([NEVER if word is None else word.known_at for word in last], np.int64)
    # Nobody knows of a fraud before it happens.
    known_at = np.maximum(known_at, batch.occurred_at)
    presumed = known_at
    if mature_days is not None:
        presumed = np.where(said, known_at, batch.occurred_at + mature_days * DAY)
    labelled = presumed < NEVER
    _require(fraud, labelled)
    if not (said & (known_at <= batch.occurred_at[-1])).any():
        sentence = (
            "no label was known when the newest stored transaction occurred: for history of long ago import "
            "labels with their known_at"
        )
        raise Rejected([Fault("labels", sentence)])
    return History(batch=batch, fraud=fraud, labelled=labelled), KnownAt(features=known_at, training=presumed)


def stored_unlabelled(ledger: Ledger, *, show: Show) -> History:
    """The stored transactions by time, whatever anybody said of them. Raises Rejected where there is none."""
    batch = _stored(ledger, show)
    nothing = np.zeros(len(batch), bool)
    return History(batch=batch, fraud=nothing, labelled=nothing)


def _require(fraud: Array, labelled: Array) -> None:
    if not fraud.any():
        sentence = "no stored transaction has a label that says fraud; shroff labels import brings labels"
        raise Rejected([Fault("labels", sentence)])
    if not (labelled & ~fraud).any():
        sentence = (
            "no stored transaction is known to be legitimate: with --mature-days N those count as legitimate "
            "of which nobody has said anything for N days"
        )
        raise Rejected([Fault("mature_days", sentence)])


def _stored(ledger: Ledger, show: Show) -> Batch:
    """All that was decided, by time."""
    newest = ledger.newest()
    until = FOREVER if newest is None else newest  # later ones are clocks that are ahead
    texts: dict[str, str] = {}
    batches: list[Batch] = []
    rows = 0
    for records in ledger.history():
        rows += len(records)
        show(rows, rows)
        found = [each.transaction for each in records if each.transaction.occurred_at <= until]
        if found:
            batches.append(_pooled(Batch.of(found), texts))
    if not batches:
        raise Rejected([Fault("data", "no transaction was decided here yet")])
    whole = joined(batches)
    return taken(whole, np.argsort(whole.occurred_at, kind="stable"))


def _pooled(batch: Batch, texts: dict[str, str]) -> Batch:
    """One copy of each text, which comes back in many rows."""
    for column in batch.texts.values():
        column[:] = [None if value is None else texts.setdefault(value, value) for value in column]
    return batch


def _words(labels: Labels) -> dict[str, Label]:
    """The last word on each transaction: by known_at, then by arrival."""
    words: dict[str, Label] = {}
    for part in _parts(labels):
        for label in part:
            before = words.get(label.transaction_id)
            if before is None or label.known_at >= before.known_at:
                words[label.transaction_id] = label
    return words


def _parts(labels: Labels) -> Iterator[Sequence[Label]]:
    """All labels in the order of arrival."""
    place = 0
    while part := labels.after(place, _TOGETHER):
        yield part
        place = part[-1].number
