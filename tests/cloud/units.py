"""Counts what AWS would bill of boto3's calls, DynamoDB's units by the size of items; and processor time.

A write takes a unit for each begun 1 KB of the larger of the item before and after, twice that within a
transaction, and once more for each index whose entry changes. A read takes a unit for each begun 4 KB, half
of it where it may lag; a query goes by the sum of what it reads, everything else item by item.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from threading import Lock, local
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

Item = Mapping[str, Mapping[str, Any]]


@dataclass
class Taken:
    """What one part of the work took."""

    runs: int = 0
    milliseconds: float = 0.0
    """Of the processor, without what stands in for AWS."""
    log_bytes: int = 0
    log_lines: int = 0
    units: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """`write KIND`, `write KIND > INDEX`, `read KIND`, `read INDEX`."""
    calls: Counter[str] = field(default_factory=Counter)


class Tally:
    """Listens to clients, and books what it hears on the part of the work that is under way."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain
        self._tables: dict[str, _Table] = {}
        self._aside, self._lock, self._depth = 0.0, Lock(), local()
        self.taken = Taken()

    def listen(self, client: Any) -> None:
        """Book all calls of a client."""
        events, service = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register_last(f"after-call.{service}", self._called)
        if service == "dynamodb":
            events.register_first(f"before-parameter-build.{service}", self._before)

    @contextmanager
    def of(self, taken: Taken) -> Iterator[None]:
        """What happens within is this part's."""
        self.taken, began, aside = taken, time.process_time(), self._aside
        taken.runs += 1
        try:
            yield
        finally:
            taken.milliseconds += 1_000 * (time.process_time() - began - (self._aside - aside))

    @contextmanager
    def beside(self) -> Iterator[None]:
        """What happens within is no work of a function's."""
        depth = getattr(self._depth, "value", 0)
        self._depth.value, began = depth + 1, time.thread_time()
        try:
            yield
        finally:
            self._depth.value = depth
            if not depth:
                with self._lock:
                    self._aside += time.thread_time() - began

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        with self.beside():
            writes = self._writes(model.name, params)
            context["shroff"] = params, [(*each, self._read(*each)) for each in writes]

    def _called(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        with self.beside(), self._lock_taken() as taken:
            service = model.service_model.service_id.hyphenize()
            taken.calls[f"{service} {model.name}"] += 1
            if service != "dynamodb":
                return
            params, writes = context["shroff"]
            twice = 2 if model.name == "TransactWriteItems" else 1
            for table, key, before in writes:
                self._book_write(taken, table, before, self._read(table, key), twice)
            if model.name in {"GetItem", "BatchGetItem", "Query"}:
                self._book_read(taken, model.name, params, parsed)

    @contextmanager
    def _lock_taken(self) -> Iterator[Taken]:
        # The plain client answers under moto's own lock, and nothing of this is asked for from within it.
        with self._booking:
            yield self.taken

    _booking = Lock()

    def _writes(self, action: str, params: dict[str, Any]) -> list[tuple[str, Item]]:
        match action:
            case "PutItem" | "UpdateItem" | "DeleteItem":
                acts = [params]
            case "TransactWriteItems":
                acts = [next(iter(each.values())) for each in params["TransactItems"]]
            case "BatchWriteItem":
                acts = [
                    {"TableName": table, **next(iter(each.values()))}
                    for table, requests in params["RequestItems"].items()
                    for each in requests
                ]
            case _:
                acts = []
        return [(each["TableName"], self._key(each)) for each in acts]

    def _key(self, act: Mapping[str, Any]) -> Item:
        names = self.table(act["TableName"]).key
        found = act.get("Key") or act["Item"]
        return {name: found[name] for name in names}

    def table(self, name: str) -> _Table:
        """The keys and indexes of a table."""
        if name not in self._tables:
            self._tables[name] = _described(self._plain.describe_table(TableName=name)["Table"])
        return self._tables[name]

    def _read(self, table: str, key: Item) -> Item:
        found: Item = self._plain.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return found

    def _book_write(self, taken: Taken, name: str, before: Item, after: Item, times: int) -> None:
        kind = kind_of(after or before)
        taken.units[f"write {kind}"] += times * write_units(max(size_of(before), size_of(after)))
        for index in self.table(name).indexes:
            if units := index.units(before, after):
                taken.units[f"write {kind} > {index.name}"] += units

    def _book_read(self, taken: Taken, action: str, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        if action == "Query":
            assert "FilterExpression" not in params
            what = params.get("IndexName") or kind_of_key(params)
            size = sum(size_of(each) for each in parsed.get("Items", []))
            taken.units[f"read {what}"] += read_units(size, consistent=params.get("ConsistentRead", False))
            return
        asked = params["RequestItems"] if action == "BatchGetItem" else {params["TableName"]: params}
        for table, request in asked.items():
            for key in request.get("Keys") or [request["Key"]]:
                # The whole item, whatever of it was asked for; one that is absent costs as a small one does.
                size = size_of(self._read(table, key))
                consistent = request.get("ConsistentRead", False)
                taken.units[f"read {kind_of(key)}"] += read_units(size, consistent=consistent)


@contextmanager
def listening(plain: Any) -> Iterator[Tally]:
    """A tally that sets aside what moto does in this process; `plain` is a client to look things up with."""
    tally, answer = Tally(plain), BotocoreStubber.__call__

    def timed(stub: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with tally.beside():
            return answer(stub, *args, **kwargs)

    BotocoreStubber.__call__ = timed  # type: ignore[method-assign, assignment]
    try:
        yield tally
    finally:
        BotocoreStubber.__call__ = answer  # type: ignore[method-assign]


@dataclass(frozen=True)
class _Index:
    name: str
    key: tuple[str, ...]
    only: frozenset[str] | None
    """None holds every attribute."""

    def entry(self, item: Item) -> Item:
        if not all(each in item for each in self.key):
            return {}
        return {name: each for name, each in item.items() if self.only is None or name in self.only}

    def units(self, before: Item, after: Item) -> int:
        """Of a change of its entry: an entry that moves is deleted and written."""
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return 0
        if old and new and all(old[each] == new[each] for each in self.key):
            return write_units(max(size_of(old), size_of(new)))
        return sum(write_units(size_of(each)) for each in (old, new) if each)


@dataclass(frozen=True)
class _Table:
    key: tuple[str, ...]
    indexes: list[_Index]


def _described(table: dict[str, Any]) -> _Table:
    key = tuple(each["AttributeName"] for each in table["KeySchema"])
    indexes = []
    for each in table.get("GlobalSecondaryIndexes", []):
        own = tuple(part["AttributeName"] for part in each["KeySchema"])
        projection = each["Projection"]
        some = frozenset((*key, *own, *projection.get("NonKeyAttributes", ())))
        indexes.append(
            _Index(each["IndexName"], own, some if projection["ProjectionType"] != "ALL" else None)
        )
    return _Table(key, indexes)


def kind_of(item: Item) -> str:
    """What an item is: `accepted`, `decided`, `entity`, `alert`, `list`, …"""
    if "transaction_id" in item and "timestamp" in item:
        return "accepted" if item["timestamp"]["N"] == "-1" else "decided"
    return str(item["pk"]["S"]).partition("#")[0]


def kind_of_key(params: Mapping[str, Any]) -> str:
    """What a query by a table's own key is after."""
    values = list(params["ExpressionAttributeValues"].values())
    return (
        "transaction"
        if "transaction_id" in params["KeyConditionExpression"]
        else values[0]["S"].partition("#")[0]
    )


def write_units(size: int) -> int:
    """Write request units of an item of so many bytes."""
    return max(1, ceil(size / 1024))


def read_units(size: int, *, consistent: bool) -> float:
    """Read request units of so many bytes."""
    return max(1, ceil(size / 4096)) * (1.0 if consistent else 0.5)


def size_of(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "B":
            return len(bytes(content))
        case "N":
            digits = len(str(content).lstrip("-").replace(".", "").strip("0")) or 1
            return min(21, (digits + 1) // 2 + 1) + str(content).startswith("-")
        case _:
            raise ValueError(f"an attribute of the kind {kind}")
