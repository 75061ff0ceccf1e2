"""What came true, as the state learns it: labels of transactions, each from when it was known on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.chains import Lessons
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.features import Layout
from shroff.core.state import EntityState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """n labels in the order in which they are learned."""

    batch: Batch
    """The labelled transactions, a row a label."""
    fraud: Array
    """[n] bool: whether the transaction was a fraud; else it is known to be legitimate."""
    known_at: Array
    """[n] int64, milliseconds, ascending: when the label became known."""

    def __len__(self) -> int:
        return len(self.known_at)


def learn(state: State, labelled: Labelled) -> None:
    """Move the state past labels that became known; it must have observed what occurred before that.

    A label that is learned twice counts twice: who calls this keeps count. The state is changed in place.
    """
    nobody = np.empty(0, np.int64)
    before = np.zeros(len(labelled), np.int64)
    for layout in state.layouts:
        entity = state.entities[layout.entity]
        lessons = lessons_of(layout, entity, labelled, before)
        if lessons is not None:
            entities, values = len(entity.slots), np.empty((0, len(layout.distincts)), np.int64)
            entity.chains.observe(nobody, nobody, np.empty(0), entities, lessons)
            entity.distincts.observe(nobody, nobody, values, entities)  # a row for whoever is new


def lessons_of(
    layout: Layout, entity: EntityState, labelled: Labelled | None, before: Array | None
) -> Lessons | None:
    """The labels as the entities of one kind learn them; None where no feature of theirs asks for any.

    Raises ValueError where `before` does not say of each label, in order, before which row it is learned.
    """
    if labelled is None or not layout.learns:
        return None
    if before is None or len(before) != len(labelled) or (np.diff(before) < 0).any():
        raise ValueError("each label needs the row before which it is learned, in ascending order")
    return Lessons(
        slots=entity.rows(labelled.batch.keys(layout.fields)),
        known_at=np.asarray(labelled.known_at, np.int64),
        occurred_at=labelled.batch.occurred_at,
        fraud=np.asarray(labelled.fraud, np.float64),
        before=np.asarray(before, np.int64),
    )
