"""What is remembered of every entity: a fold over the transactions observed so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from itertools import repeat
from typing import cast

import numpy as np

from shroff.core.chains import NONE, Chains
from shroff.core.compiled import Array, compile_kernels
from shroff.core.distincts import Distincts, Unions
from shroff.core.features import Layout
from shroff.core.parts import EntityPart, give, take

_NOT_KEPT = frozenset(("lateness", "places_from", "known_from", "runs_from", "habit_of", "judge", "unions"))
"""What a layout says, and what can be found again."""
_AN_ENTITY = frozenset(("blocks", "kinds", "sizes", "heads"))
"""Arrays with a row an entity, and some to spare."""
_A_RECORD = frozenset(("times", "values", "hashes", "across", "down"))
"""Arrays with a row a record, and some to spare."""


@dataclass(slots=True, kw_only=True)
class EntityState:
    """Windows of all entities of one kind."""

    slots: dict[str, int] = field(default_factory=dict)
    """What identifies an entity → its row in the chains."""
    chains: Chains
    distincts: Distincts

    @classmethod
    def empty(cls, layout: Layout) -> EntityState:
        """No entity is known yet."""
        return cls(
            chains=Chains.empty(
                layout.payments,
                layout.lateness,
                layout.known,
                layout.runs,
                layout.habits,
                layout.judge,
                layout.places,
            ),
            distincts=Distincts.empty(tuple(window for _, window in layout.distincts), layout.lateness),
        )

    def rows(self, keys: Sequence[str | None]) -> Array:
        """The row of each key, a new one for a key met for the first time, -1 for None."""
        slots = self.slots
        get = cast("dict[str | None, int]", slots).get
        found = np.fromiter(map(get, keys, repeat(NONE)), np.int64, len(keys))
        for at in np.flatnonzero(found == NONE).tolist():  # somebody is new, or there is no entity
            key = keys[at]
            if key is not None:
                found[at] = slots.setdefault(key, len(slots))
        return found

    def arrays(self) -> dict[str, Array]:
        """Everything that is remembered, as plain arrays that go on changing with the state."""
        found: dict[str, Array] = {"keys": np.frombuffer(json.dumps(list(self.slots)).encode(), np.uint8)}
        for part in (self.chains, self.distincts):
            for name in _columns(part):
                found[f"{type(part).__name__}.{name}"] = self._used(part, name)
        return found

    def _used(self, part: Chains | Distincts, name: str) -> Array:
        """An array of a part without what it has to spare."""
        array: Array = getattr(part, name)
        if name in _AN_ENTITY:
            return array[: len(self.slots)]
        return array[: part.used] if name in _A_RECORD else array

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Remember what `arrays` returned, and nothing else."""
        self.slots = {key: row for row, key in enumerate(json.loads(arrays["keys"].tobytes()))}
        for part in (self.chains, self.distincts):
            for name in _columns(part):
                # A copy: what is restored goes on, what it was restored from may not.
                setattr(part, name, np.array(arrays[f"{type(part).__name__}.{name}"]))
        self.distincts.unions = Unions.empty(len(self.distincts.lengths))

    def take(self, key: str) -> EntityPart:
        """A copy of all that is remembered of one entity, empty where it is unknown."""
        return take(self.chains, self.distincts, self.slots.get(key, NONE))

    def give(self, key: str, part: EntityPart) -> None:
        """Remember of an entity what `take` returned. Raises ValueError where it is known already."""
        if key in self.slots:
            raise ValueError(f"{key!r} is known already: what is given would be counted twice or forgotten")
        self.slots[key] = slot = len(self.slots)
        give(self.chains, self.distincts, slot, part)


@dataclass(slots=True, kw_only=True)
class State:
    """Windows of all entities, and the money they are counted in."""

    layouts: tuple[Layout, ...]
    base_currency: str
    rates: Mapping[str, Decimal]
    entities: dict[str, EntityState]

    @classmethod
    def empty(cls, layouts: Sequence[Layout], base_currency: str, rates: Mapping[str, Decimal]) -> State:
        """Nothing was observed yet."""
        compile_kernels()
        return cls(
            layouts=tuple(layouts),
            base_currency=base_currency,
            rates=rates,
            entities={layout.entity: EntityState.empty(layout) for layout in layouts},
        )

    def take(self, entity: str, key: str) -> EntityPart:
        """A copy of all that is remembered of one entity, empty where it is unknown."""
        return self.entities[entity].take(key)

    def give(self, entity: str, key: str, part: EntityPart) -> None:
        """Remember of an entity what `take` returned. Raises ValueError where it is known already."""
        self.entities[entity].give(key, part)

    def arrays(self) -> dict[str, Array]:
        """The whole state as plain arrays, from which `restore` makes it again to the bit."""
        return {
            f"{kind}/{name}": array
            for kind, entity in self.entities.items()
            for name, array in entity.arrays().items()
        }

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Become the state that `arrays` was taken of; its layouts must be the same."""
        for kind, entity in self.entities.items():
            prefix = f"{kind}/"
            entity.restore({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})


def _columns(part: Chains | Distincts) -> list[str]:
    """The names of a part's arrays."""
    return [each.name for each in fields(part) if each.name not in _NOT_KEPT]
