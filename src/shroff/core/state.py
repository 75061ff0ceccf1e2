"""What is remembered of every entity: a fold over the transactions observed so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from shroff.core.chains import NONE, Chains
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.distincts import Distincts
from shroff.core.features import Layout


@dataclass(slots=True, kw_only=True)
class EntityState:
    """Windows of all entities of one kind."""

    slots: dict[str, int] = field(default_factory=dict)
    """What identifies an entity → its row in the chains."""
    chains: Chains
    distincts: Distincts

    @classmethod
    def empty(cls, layout: Layout) -> EntityState:
        return cls(
            chains=Chains.empty(layout.windows, layout.lateness),
            distincts=Distincts.empty(tuple(window for _, window in layout.distincts), layout.lateness),
        )

    def rows(self, keys: Sequence[str | None]) -> Array:
        """The row of each key, a new one for a key met for the first time, -1 for None."""
        slots = self.slots
        return np.array(
            [NONE if key is None else slots.setdefault(key, len(slots)) for key in keys], np.int64
        )


@dataclass(slots=True, kw_only=True)
class State:
    """Windows of all entities, and the money they are counted in."""

    layouts: tuple[Layout, ...]
    base_currency: str
    rates: Mapping[str, Decimal]
    entities: dict[str, EntityState]

    @classmethod
    def empty(cls, layouts: Sequence[Layout], base_currency: str, rates: Mapping[str, Decimal]) -> State:
        return cls(
            layouts=tuple(layouts),
            base_currency=base_currency,
            rates=rates,
            entities={layout.entity: EntityState.empty(layout) for layout in layouts},
        )
