"""What came true, as the state learns it: labels of transactions, each from when it was known on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shroff.core.chains import Lessons
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.features import Layout
from shroff.core.money import DECIMALS
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
    nobody, before = np.empty(0, np.int64), np.zeros(len(labelled), np.int64)
    lesson = Lesson.of(state, labelled, before)
    for layout in judges_first(state.layouts):
        entity = state.entities[layout.entity]
        lessons = lesson.to(layout, entity)
        if lessons is not None:
            entities, values = len(entity.slots), np.empty((0, len(layout.distincts)), np.int64)
            entity.chains.observe(nobody, nobody, np.empty(0), entities, lessons, lesson.unit)
            entity.distincts.observe(nobody, nobody, values, entities)  # a row for whoever is new


def judges_first(layouts: Sequence[Layout]) -> list[Layout]:
    """In the order in which entities learn: what one says of a label the others ask."""
    return sorted(layouts, key=lambda layout: not layout.judges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Labels as all entities learn them, one kind after the other."""

    labelled: Labelled | None
    before: Array
    amounts: Array
    """[n] float64, minor units of the base currency."""
    fraud: Array
    """[n] float64, as in `chains.Lessons`: changed by the one that judges."""
    unit: float
    """Minor units."""

    @classmethod
    def of(cls, state: State, labelled: Labelled | None, before: Array | None) -> Lesson:
        """Labels, each learned before a row. Raises ValueError where `before` does not say so of each."""
        unit, nothing = float(10 ** DECIMALS[state.base_currency]), np.empty(0)
        if labelled is None or not any(layout.learns for layout in state.layouts):
            return cls(labelled=None, before=nothing, amounts=nothing, fraud=nothing, unit=unit)
        if before is None or len(before) != len(labelled) or (np.diff(before) < 0).any():
            raise ValueError("each label needs the row before which it is learned, in ascending order")
        return cls(
            labelled=labelled,
            before=np.asarray(before, np.int64),
            amounts=labelled.batch.in_base(state.base_currency, state.rates),
            fraud=np.array(labelled.fraud, np.float64),
            unit=unit,
        )

    def passes(self, layout: Layout) -> bool:
        """Whether no entity of a kind learns anything. Who judges says of a payer that is missing, too."""
        if self.labelled is None or not layout.learns:
            return True
        return not layout.judges and self.labelled.batch.lacks(layout.fields)

    def to(self, layout: Layout, entity: EntityState) -> Lessons | None:
        """The labels as the entities of one kind learn them; None where they mean nothing to them."""
        labelled = self.labelled
        if labelled is None or not layout.learns:
            return None
        return Lessons(
            slots=entity.rows(labelled.batch.keys(layout.fields)),
            known_at=np.asarray(labelled.known_at, np.int64),
            occurred_at=labelled.batch.occurred_at,
            amounts=self.amounts,
            fraud=self.fraud,
            before=self.before,
        )
