"""Mends moto's DynamoDB where it differs from AWS in what the product builds on.

- A transaction is one step for every thread: moto answers requests side by side and takes
  its items one by one.
- A failed transaction is taken back item by item: moto copies the whole table for every item of it.
- A transaction sent again with the same token has no second effect.
- A query walks the items of its partition (in an index, of its hash value): moto walks the whole table.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from threading import RLock, local
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

LOCK = RLock()

_call_action = DynamoHandler.call_action
_transact = DynamoDBBackend.transact_write_items
_answer_transact = DynamoHandler.transact_write_items
_query = Table.query
_all_items = Table.all_items
_tokens: dict[tuple[int, str], Any] = {}
_partitions: dict[tuple[int, str, str], dict[DynamoType, list[tuple[Any, Item]]]] = {}
"""By table and the attributes of a key: the items by the first's value, with the second's, until a write."""
_asked = local()
"""The items among which this thread's query looks."""

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})


def mend() -> None:
    """Mend moto in this process; once is enough, again does no harm."""
    Table.__deepcopy__ = lambda self, memo: self  # type: ignore[attr-defined]
    DynamoHandler.call_action = _one_at_a_time  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = _all_or_nothing  # type: ignore[method-assign]
    DynamoHandler.transact_write_items = _once_per_token  # type: ignore[method-assign]
    Table.query = _in_its_partition  # type: ignore[method-assign, assignment]
    Table.all_items = _few_or_all  # type: ignore[method-assign]


def _one_at_a_time(self: DynamoHandler) -> Any:
    with LOCK:
        if self._get_action() not in _READS:
            _partitions.clear()
        return _call_action(self)


def _in_its_partition(
    self: Table, hash_key: DynamoType | None, comparison: str | None, values: Any, *how: Any, **named: Any
) -> Any:
    hashes, ranges = named["hash_key_conditions"], named["range_key_conditions"]
    name, value = hashes[0] if hashes else (self.hash_key_attr, hash_key)
    place = ranges[0][0] if ranges else name
    low, high = (each.cast_value for each in values) if comparison == "BETWEEN" else (None, None)
    with LOCK:
        held = _partition(self, name, place).get(value, [])  # type: ignore[arg-type]
        _asked.items = [item for at, item in held if low is None or low <= at <= high]
        try:
            return _query(self, hash_key, comparison, values, *how, **named)
        finally:
            del _asked.items


def _partition(table: Table, name: str, place: str) -> dict[DynamoType, list[tuple[Any, Item]]]:
    found = _partitions.get((id(table), name, place))
    if found is None:
        found = _partitions[id(table), name, place] = {}
        for under in table.items.values():  # an item where the key is a hash value alone
            for item in [under] if isinstance(under, Item) else under.values():
                if name in item.attrs and place in item.attrs:
                    at = item.attrs[place].cast_value
                    found.setdefault(item.attrs[name], []).append((at, item))
    return found


def _few_or_all(self: Table) -> list[Item]:
    few = getattr(_asked, "items", None)
    return _all_items(self) if few is None else few


def _once_per_token(self: DynamoHandler) -> ActionResult:
    token = self.body.get("ClientRequestToken")
    if token is None:
        return _answer_transact(self)
    place = (id(self.dynamodb_backend), token)
    if place in _tokens:
        if _tokens[place] != self.body["TransactItems"]:
            raise MockValidationException("The token was used for another transaction")
        return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
    content = copy.deepcopy(self.body["TransactItems"])
    answer = _answer_transact(self)
    _tokens[place] = content
    return answer


def _all_or_nothing(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    with LOCK:
        restore = [_restorer(self, *next(iter(item.items()))) for item in transact_items]
        try:
            _transact(self, transact_items)
        except Exception:
            for put_back in reversed(restore):
                put_back()
            raise


def _restorer(backend: DynamoDBBackend, kind: str, act: dict[str, Any]) -> Callable[[], None]:
    """Puts one item back as it is now. An update changes the item itself, a put replaces it."""
    table = backend.get_table(act["TableName"])
    members = act["Item"] if kind == "Put" else act["Key"]
    hash_key = DynamoType(members[table.hash_key_attr])
    range_key = DynamoType(members[table.range_key_attr]) if table.range_key_attr else None
    there = table.items.get(hash_key) if range_key is None else table.items.get(hash_key, {}).get(range_key)
    before = copy.deepcopy(there) if kind == "Update" else there

    def put_back() -> None:
        if range_key is None:
            _set(table.items, hash_key, before)
        else:
            _set(table.items[hash_key], range_key, before)
            if not table.items[hash_key]:
                del table.items[hash_key]

    return put_back


def _set(items: Any, key: DynamoType, value: Any) -> None:
    if value is None:
        items.pop(key, None)
    else:
        items[key] = value
