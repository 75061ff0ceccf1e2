"""The one step from (state, batch) to (features, new state), for every runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.features import Answers, Layout
from shroff.core.labels import Labelled, Lesson, judges_first
from shroff.core.places import points
from shroff.core.state import EntityState, State


def observe(
    state: State, batch: Batch, labelled: Labelled | None = None, before: Array | None = None
) -> Array:
    """Features [n, f] of a batch, each row as of just before its transaction; the state moves past the batch.

    Rows are observed in order, so the second transaction of a card sees the first. The state is changed in
    place: whoever may have to step back keeps a snapshot. Columns follow the state's layouts; NaN is missing.

    Labels are learned on the way: label i just before row `before[i]` of the batch ([k] int, ascending),
    those of n after the last. A row's features see the labels that were learned before it and no other;
    their windows by `known_at`, moreover, none that became known after the row's transaction occurred.
    """
    if not state.layouts:
        return np.empty((len(batch), 0))
    asked = _Asked.of(state, batch)
    lesson, parts = Lesson.of(state, labelled, before), {}
    for layout in judges_first(state.layouts):
        if batch.lacks(layout.fields) and lesson.passes(layout):
            parts[layout] = np.full((len(batch), len(layout.features)), np.nan)
            continue
        answers = _meet(layout, state.entities[layout.entity], asked, lesson)
        parts[layout] = layout.columns(
            answers, batch.occurred_at, asked.amounts, state.base_currency, asked.points
        )
    return np.hstack([parts[layout] for layout in state.layouts])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A batch, and what is made of its columns once for all kinds of entities."""

    batch: Batch
    amounts: Array
    """[n] float64, minor units of the base currency."""
    points: Array | None
    """[n, 3], where a layout asks for places."""
    hashes: Mapping[str, Array]
    """Each field that is counted → [n]."""

    @classmethod
    def of(cls, state: State, batch: Batch) -> _Asked:
        """What the layouts of a state ask for of a batch."""
        counted = {field for layout in state.layouts for field, _ in layout.distincts}
        placed = any(layout.places for layout in state.layouts)
        return cls(
            batch=batch,
            amounts=batch.in_base(state.base_currency, state.rates),
            points=points(batch.latitude, batch.longitude) if placed else None,
            hashes={field: batch.hashes(field) for field in counted},
        )


def _meet(layout: Layout, entity: EntityState, asked: _Asked, lesson: Lesson) -> Answers:
    """What the entities of one kind remember before each row, which they remember from then on."""
    lessons, batch = lesson.to(layout, entity), asked.batch
    rows, when = entity.rows(batch.keys(layout.fields)), batch.occurred_at
    values = np.empty((len(batch), len(layout.distincts)), np.int64)
    for column, (field, _) in enumerate(layout.distincts):
        values[:, column] = asked.hashes[field]
    windows, habits = entity.chains.observe(
        rows, when, asked.amounts, len(entity.slots), lessons, lesson.unit, asked.points
    )
    return Answers(
        windows=windows,
        habits=habits,
        distinct=entity.distincts.observe(rows, when, values, len(entity.slots)),
    )
