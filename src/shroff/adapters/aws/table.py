"""A DynamoDB table: reads and writes that follow every page and every key to the end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from shroff.adapters.aws.attributes import Item, placeholders
from shroff.adapters.aws.clients import Clients, Throttled, code_of, translate

_READ, _WRITTEN = 100, 25
"""The most keys of one BatchGetItem, the most requests of one BatchWriteItem."""
_ROUNDS = 8

T = TypeVar("T")


class Table:
    """One table, for any number of threads; what takes many calls makes them at once."""

    def __init__(self, clients: Clients, name: str, pool: ThreadPoolExecutor) -> None:
        self._clients = clients
        self.name = name
        self.pool = pool

    def get(self, key: Item) -> Item | None:
        """An item as it is now."""
        with translate(f"reading {self.name}"):
            found = self._clients.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def get_many(
        self, keys: Iterable[Item], attributes: Sequence[str] = (), *, consistent: bool = True
    ) -> list[Item]:
        """The items that there are, in any order; a key may come twice."""
        unique = {str(sorted(key.items())): key for key in keys}.values()
        options: dict[str, Any] = {"ConsistentRead": consistent} | _projection(attributes)
        batches = list(parts(unique, _READ))
        if len(batches) < 2:
            return [item for batch in batches for item in self._get_batch(batch, options)]
        found = self.pool.map(lambda batch: self._get_batch(batch, options), batches)
        return [item for items in found for item in items]

    def put(self, item: Item, **options: Any) -> Item | None:
        """Write an item; where its condition does not hold, returns what is there instead."""
        try:
            with translate(f"writing {self.name}"):
                self._clients.dynamodb.put_item(
                    TableName=self.name,
                    Item=item,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **options,
                )
        except ClientError as error:
            return _held(error)
        return None

    def update(self, **options: Any) -> bool:
        """Change an item, as UpdateItem says it; False where its condition does not hold."""
        try:
            with translate(f"changing {self.name}"):
                self._clients.dynamodb.update_item(TableName=self.name, **options)
        except ClientError as error:
            _held(error)
            return False
        return True

    def write_many(self, requests: Iterable[dict[str, Any]]) -> None:
        """Puts and deletes without a condition, as PutRequest and DeleteRequest, one a key."""
        for _ in self.pool.map(self._write_batch, parts(requests, _WRITTEN)):
            pass

    def query(self, *, ahead: bool = False, **options: Any) -> Iterator[list[Item]]:
        """Every page of a query, the first at once if `ahead`.

        The next is asked for while one is used; with a Limit only when it is wanted, as few will do then.
        """
        first = self.pool.submit(self._page, options) if ahead else None
        return self._pages(options, first)

    def _pages(self, options: dict[str, Any], first: Future[dict[str, Any]] | None) -> Iterator[list[Item]]:
        page = self._page(options) if first is None else first.result()
        while (after := page.get("LastEvaluatedKey")) is not None:
            rest = options | {"ExclusiveStartKey": after}
            following = None if "Limit" in options else self.pool.submit(self._page, rest)
            yield page["Items"]
            page = self._page(rest) if following is None else following.result()
        yield page["Items"]

    def _page(self, options: Mapping[str, Any]) -> dict[str, Any]:
        with translate(f"reading {self.name}"):
            page: dict[str, Any] = self._clients.dynamodb.query(TableName=self.name, **options)
        return page

    def _get_batch(self, keys: Sequence[Item], options: Mapping[str, Any]) -> list[Item]:
        found: list[Item] = []

        def ask(left: dict[str, Any]) -> dict[str, Any]:
            answer = self._clients.dynamodb.batch_get_item(RequestItems=left)
            found.extend(answer["Responses"].get(self.name, ()))
            rest: dict[str, Any] = answer.get("UnprocessedKeys", {})
            return rest

        self._until_done(ask, {self.name: {"Keys": list(keys), **options}}, f"reading {self.name}")
        return found

    def _write_batch(self, requests: Sequence[dict[str, Any]]) -> None:
        def ask(left: dict[str, Any]) -> dict[str, Any]:
            rest: dict[str, Any] = self._clients.dynamodb.batch_write_item(RequestItems=left).get(
                "UnprocessedItems", {}
            )
            return rest

        self._until_done(ask, {self.name: list(requests)}, f"writing {self.name}")

    @staticmethod
    def _until_done(ask: Callable[[dict[str, Any]], dict[str, Any]], left: dict[str, Any], act: str) -> None:
        """Ask again for what a batch left undone: it is throttled, or more than one answer can hold."""
        for attempt in range(_ROUNDS):
            with translate(act):
                left = ask(left)
            if not left:
                return
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - no secret
        raise Throttled(f"{act}: throttled {_ROUNDS} times")


def parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def _projection(attributes: Sequence[str]) -> dict[str, Any]:
    if not attributes:
        return {}
    names = placeholders(attributes)
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _held(error: ClientError) -> Item:
    """What is there instead, of a condition that did not hold; any other error is raised."""
    if code_of(error) != "ConditionalCheckFailedException":
        raise error
    item: Item = error.response.get("Item", {})
    return item
