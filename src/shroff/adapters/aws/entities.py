"""The entities' state in DynamoDB, for any number of workers at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from shroff.adapters.aws.attributes import Item, integer
from shroff.adapters.aws.clients import Throttled
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.commit import Lost, Write, check_size, transact
from shroff.adapters.aws.intermission import PAUSED, lasts
from shroff.adapters.aws.label_items import label_writes, turn_check
from shroff.adapters.aws.parts import (
    MOST_SHARDS,
    part_item,
    part_key,
    part_of,
    part_update,
    shards_of,
    split_update,
)  # fmt: skip
from shroff.adapters.aws.schedule import AwsSchedule
from shroff.adapters.aws.table import parts
from shroff.adapters.aws.writes import work_writes, write_before
from shroff.core.alert import Alert
from shroff.core.errors import Contended, Retryable
from shroff.ports import Part, Uptake, Work

_LOSSES = 3
"""So often in a row a worker loses an entity to another before the entity is split."""
_FILLED = 100
_KEEP_DAYS = 400

_Name = tuple[str, str, str]


class AwsEntities:
    """A part is written only by whoever read it last; a commit of records and parts is one transaction.

    Where workers keep meeting on one entity, it is split: each then writes a part of its own, chosen by
    chance, and what is remembered of it is all parts together. One that is in the middle of its work
    when another ends is then not seen by it: for a merchant that busy, some transactions of the last instant.
    """

    def __init__(self, cloud: Cloud, keep_days: int = _KEEP_DAYS) -> None:
        self._cloud = cloud
        self._keep = keep_days * 86_400
        self._losses: Counter[_Name] = Counter()
        self._lock = Lock()

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        """A part for each (entity, key), in the order given. Raises Contended where too many ask for them."""
        with _crowded():
            firsts = self._read(generation, [(*each, 0) for each in entities])
            shards = {each: shards_of(firsts.get((*each, 0))) for each in entities}
            places = [(*each, place) for each, count in shards.items() for place in range(1, count)]
            found = firsts | self._read(generation, places) if places else firsts
        return [
            part_of(*each, [found.get((*each, place)) for place in range(shards[each])]) for each in entities
        ]

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        """Keep the work and the new state of these parts, all or nothing; returns the alerts that are new.

        Raises Contended where another worker wrote to a part meanwhile, Repeated for what was decided
        before, TooLarge, with nothing sent, for what must be halved.
        """
        first = max((part.clock for part, _ in states), default=0) + 1
        writes, new = work_writes(self._cloud, work, first)
        writes += self._parts(generation, work, states, first + len(work.decided) - 1)
        check_size(writes)
        write_before(self._cloud, work)
        self._transact(generation, writes, states)
        return new

    def turn(self) -> int | None:
        """When deciding last stood still, 0 for never; None while it does."""
        schedule = AwsSchedule(self._cloud.clients.dynamodb, self._cloud.names.state)
        began = schedule.last(PAUSED)
        return None if lasts(schedule) else began or 0

    def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
        """Keep that labels were learned, and the new state of these parts, all or nothing.

        Raises Contended where another worker wrote to a part or took one of the labels meanwhile, or deciding
        has stood still since the turn was asked for; TooLarge, with nothing sent, for what must be halved.
        """
        clock = max((part.clock for part, _ in states), default=0)
        writes = [turn_check(self._cloud.names.state, uptake.turn)]
        writes += label_writes(self._cloud.names.state, uptake, before=clock + 1)
        # Every part keeps the highest clock: what is decided next of any of them has seen the labels.
        writes += self._parts(generation, Work(), states, clock)
        check_size(writes)
        self._transact(generation, writes, states)

    def fill(self, generation: str, states: Iterable[tuple[str, str, bytes]], clock: int) -> None:
        """Replace what is kept of (entity, key), whoever wrote it; for use while nobody decides."""
        expires_at = self._cloud.clock() // 1000 + self._keep
        for some in parts(states, _FILLED):
            firsts = self._read(generation, [(entity, key, 0) for entity, key, _ in some])
            requests: list[dict[str, Any]] = []
            for entity, key, state in some:
                held = firsts.get((entity, key, 0))
                # A number that was never there before: who read the part earlier must not write it.
                version = 1 if held is None else integer(held, "version") + 1
                item = part_item(
                    part_key(generation, entity, key, 0), state,
                    version=version, clock=clock, expires_at=expires_at,
                )  # fmt: skip
                requests.append({"PutRequest": {"Item": item}})
                requests += [
                    {"DeleteRequest": {"Key": part_key(generation, entity, key, place)}}
                    for place in range(1, shards_of(held))
                ]
            self._cloud.state.write_many(requests)

    def _read(
        self, generation: str, places: Sequence[tuple[str, str, int]]
    ) -> dict[tuple[str, str, int], Item]:
        keys = {str(part_key(generation, *each)): each for each in places}
        items = self._cloud.state.get_many([part_key(generation, *each) for each in places])
        return {keys[str({"pk": item["pk"], "sk": item["sk"]})]: item for item in items}

    def _parts(
        self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]], clock: int
    ) -> list[Write]:
        moments = [max(decision.decided_at, done.occurred_at) for _, done, decision in work.decided]
        expires_at = max(moments, default=self._cloud.clock()) // 1000 + self._keep
        return [
            Write(
                kind="part",
                about=_about(part),
                request={
                    "Update": {
                        "TableName": self._cloud.names.state,
                        **part_update(
                            part_key(generation, part.entity, part.key, part.place),
                            part, state, clock, expires_at,
                        ),
                    }
                },
            )
            for part, state in states
        ]  # fmt: skip

    def _transact(
        self, generation: str, writes: Sequence[Write], states: Sequence[tuple[Part, bytes]]
    ) -> None:
        try:
            with _crowded():
                transact(self._cloud.clients, writes)
        except Lost as lost:
            self._count(generation, states, {each.about for each in lost.writes if each.kind == "part"})
            raise
        self._forgive(generation, states)

    def _count(self, generation: str, states: Sequence[tuple[Part, bytes]], lost: set[str]) -> None:
        """Remember which entities were lost; split those that are lost again and again."""
        for part, _ in states:
            if _about(part) in lost and self._is_hot((generation, part.entity, part.key)):
                self._split(generation, part)

    def _forgive(self, generation: str, states: Sequence[tuple[Part, bytes]]) -> None:
        """Only losses in a row make an entity hot: some in hours do not."""
        with self._lock:
            for part, _ in states:
                self._losses.pop((generation, part.entity, part.key), None)

    def _is_hot(self, name: _Name) -> bool:
        with self._lock:
            self._losses[name] += 1
            hot = self._losses[name] >= _LOSSES
            if hot:
                del self._losses[name]
            elif len(self._losses) > 10_000:
                self._losses.clear()
        return hot

    def _split(self, generation: str, part: Part) -> None:
        """Best effort: an item that many commit to refuses another's write, and the loss stays a loss."""
        key = part_key(generation, part.entity, part.key, 0)
        try:
            shards = shards_of(self._cloud.state.get(key))
            if shards < MOST_SHARDS:
                self._cloud.state.update(**split_update(key, shards))
        except Retryable:
            with self._lock:
                self._losses[generation, part.entity, part.key] = _LOSSES - 1


@contextmanager
def _crowded() -> Iterator[None]:
    """Too much at once on the same keys is contention: no message's fault, and halves would be more of it."""
    try:
        yield
    except Throttled as error:
        raise Contended(str(error)) from error


def _about(part: Part) -> str:
    return f"{part.entity} {part.key}"
