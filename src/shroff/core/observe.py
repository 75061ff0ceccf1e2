"""The one step from (state, batch) to (features, new state), for every runtime."""

from __future__ import annotations

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.features import Layout
from shroff.core.state import EntityState, State


def observe(state: State, batch: Batch) -> Array:
    """Features [n, f] of a batch, each row as of just before its transaction; the state moves past the batch.

    Rows are observed in order, so the second transaction of a card sees the first. The state is changed in
    place: whoever may have to step back keeps a snapshot. Columns follow the state's layouts; NaN is missing.
    """
    if not state.layouts:
        return np.empty((len(batch), 0))
    amounts = batch.in_base(state.base_currency, state.rates)
    return np.hstack(
        [
            _observe_entity(layout, state.entities[layout.entity], batch, amounts, state.base_currency)
            for layout in state.layouts
        ]
    )


def _observe_entity(layout: Layout, entity: EntityState, batch: Batch, amounts: Array, currency: str) -> Array:
    rows = entity.rows(batch.keys(layout.fields))
    queried = entity.chains.observe(rows, batch.occurred_at, amounts, len(entity.slots))
    fields = {field: batch.hashes(field) for field in {field for field, _ in layout.distincts}}
    values = np.empty((len(batch), len(layout.distincts)), np.int64)
    for column, (field, _) in enumerate(layout.distincts):
        values[:, column] = fields[field]
    distinct = entity.distincts.observe(rows, batch.occurred_at, values, len(entity.slots))
    return layout.columns(queried, distinct, batch.occurred_at, currency)
