"""The entities' state in memory, beside the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shroff.adapters.memory.ledger import MemoryLedger
from shroff.adapters.memory.marks import MemoryLateMarks
from shroff.adapters.memory.shelves import Shelves
from shroff.core.alert import Alert, merge
from shroff.core.errors import Contended, Repeated
from shroff.ports import SEALED, Part, Uptake, Work

_Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    version: int
    clock: int
    state: bytes


class MemoryEntities:
    """The entities' state for any number of threads, each entity in one part."""

    def __init__(self, shelves: Shelves, ledger: MemoryLedger, marks: MemoryLateMarks) -> None:
        self._shelves = shelves
        self._ledger = ledger
        self._marks = marks
        self._kept: dict[_Name, _Kept] = {}

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        """A part for each (entity, key), in the order given."""
        with self._shelves.lock:
            return [self._part(generation, *each) for each in entities]

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        """Keep the work and the new state of these parts, all or nothing; returns the alerts that are new.

        Raises Contended where another thread wrote to a part meanwhile, Repeated for what was decided before.
        """
        with self._shelves.changing():
            self._refuse(generation, work, states)
            first = max((part.clock for part, _ in states), default=0) + 1
            new = [each for each in merge(work.alerts) if each.alert_id not in self._shelves.alerts]
            self._ledger.keep(work, first)
            self._mark(work)
            for part, state in states:
                self._kept[generation, part.entity, part.key] = _Kept(
                    version=part.version + 1, clock=first + len(work.decided) - 1, state=state
                )
        return new

    def turn(self) -> int | None:
        """One turn lasts for ever: in memory nobody stands still."""
        return 0

    def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
        """Keep that labels were learned, and the new state of these parts, all or nothing.

        Raises Contended where another thread wrote to a part or took one of the labels meanwhile.
        """
        with self._shelves.changing():
            numbers = [each.number for each in (*uptake.learned, *uptake.passed)]
            if self._shelves.taken() & set(numbers):
                raise Contended("another worker was first at a label")
            self._refuse(generation, Work(), states)
            clock = max((part.clock for part, _ in states), default=0)
            self._shelves.learned += [(each.number, clock + 1) for each in uptake.learned]
            self._shelves.passed.update(each.number for each in uptake.passed)
            for part, state in states:
                self._kept[generation, part.entity, part.key] = _Kept(
                    version=part.version + 1, clock=clock, state=state
                )

    def fill(self, generation: str, states: Iterable[tuple[str, str, bytes]], clock: int) -> None:
        """Replace what is kept of (entity, key), whoever wrote it; for use while nobody decides."""
        for entity, key, state in states:
            with self._shelves.changing():
                version = self._part(generation, entity, key).version + 1
                self._kept[generation, entity, key] = _Kept(version=version, clock=clock, state=state)

    def _part(self, generation: str, entity: str, key: str) -> Part:
        kept = self._kept.get((generation, entity, key))
        if kept is None:
            return Part(entity=entity, key=key)
        return Part(entity=entity, key=key, version=kept.version, clock=kept.clock, state=kept.state)

    def _refuse(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> None:
        ids = [decision.transaction_id for _, _, decision in work.decided]
        if len(set(ids)) < len(ids):
            raise ValueError("a transaction is decided twice in one work")
        repeated = self._shelves.records.keys() & set(ids)
        if repeated:
            raise Repeated(repeated)
        for part, _ in states:
            if self._part(generation, part.entity, part.key).version != part.version:
                raise Contended(f"another worker was first at {part.entity} {part.key}")

    def _mark(self, work: Work) -> None:
        """A window that had ended when a decision fell may be sealed without it."""
        for _, transaction, decision in work.decided:
            start = transaction.occurred_at // SEALED * SEALED
            if decision.decided_at >= start + SEALED:
                self._marks.mark(start, decision.decided_at)
