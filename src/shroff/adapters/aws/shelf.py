"""Items of the state table, one by one and page by page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shroff.adapters.aws.clients import translate
from shroff.core.errors import Retryable

Item = dict[str, Any]
"""Attribute → {type: value}, as DynamoDB has it."""

_PUT, _ASKED, _ATTEMPTS = 25, 100, 8
"""What one request may write, what it may ask for, and how often a busy table is asked again."""


class Shelf:
    """Items by hash key and range key; a read of the table sees every write before it, unless told not to."""

    def __init__(self, client: Any, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.client, self.table = client, table
        self._sleep = sleep

    def get(self, pk: str, sk: str) -> Item | None:
        """One item, or None."""
        with translate(f"reading {self.table}"):
            found = self.client.get_item(TableName=self.table, Key=key(pk, sk), ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def under(
        self,
        pk: str,
        *,
        span: tuple[str, str] | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> Iterator[Item]:
        """All items of a hash key by their range key, or those of a span, both ends included.

        With a limit no more are fetched.
        """
        asked: dict[str, Any] = {"Limit": limit} if limit else {}
        values = {":pk": {"S": pk}}
        if span is not None:
            values |= {":first": {"S": span[0]}, ":last": {"S": span[1]}}
        pages = self.pages(
            KeyConditionExpression="pk = :pk" + (" AND sk BETWEEN :first AND :last" if span else ""),
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            ScanIndexForward=not backwards,
            **asked,
        )
        yield from next(pages, []) if limit else (item for page in pages for item in page)

    def pages(self, **query: Any) -> Iterator[list[Item]]:
        """The pages of a query, to the last one."""
        while True:
            page = self._page(query)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def count(self, pk: str) -> int:
        """How many items a hash key has; their content is read but not sent."""
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "Select": "COUNT",
            "ConsistentRead": True,
        }
        counted = 0
        while True:
            page = self._page(query)
            counted += int(page["Count"])
            if "LastEvaluatedKey" not in page:
                return counted
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put_new(self, item: Item) -> bool:
        """Keep an item unless there is one of its key; False where there is."""
        return self.attempt(
            self.client.put_item,
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )

    def attempt(self, call: Callable[..., Any], **request: Any) -> bool:
        """Make a conditional write; False where its condition does not hold."""
        try:
            with translate(f"writing {self.table}"):
                call(TableName=self.table, **request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def pick(self, keys: Sequence[Item], *, consistent: bool = True) -> Iterator[Item]:
        """Those of the items that are there, in no order; no key may come twice."""
        for at in range(0, len(keys), _ASKED):
            asked: Any = {self.table: {"Keys": list(keys[at : at + _ASKED]), "ConsistentRead": consistent}}
            for pause in self._pauses():
                with translate(f"reading {self.table}"):
                    found = self.client.batch_get_item(RequestItems=asked)
                yield from found["Responses"].get(self.table, [])
                asked = found.get("UnprocessedKeys")
                if not asked:
                    break
                self._sleep(pause)

    def write(self, requests: Sequence[Item]) -> None:
        """Puts and deletes without conditions, no key twice; each of them is done when this returns."""
        for at in range(0, len(requests), _PUT):
            left: Any = {self.table: list(requests[at : at + _PUT])}
            for pause in self._pauses():
                with translate(f"writing {self.table}"):
                    left = self.client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
                self._sleep(pause)

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        with translate(f"reading {self.table}"):
            page: dict[str, Any] = self.client.query(TableName=self.table, **query)
        return page

    def _pauses(self) -> Iterator[float]:
        for attempt in range(_ATTEMPTS):
            yield min(2.0, 0.05 * 2**attempt)
        raise Retryable(f"table {self.table} is too busy")


def key(pk: str, sk: str) -> Item:
    """The key of an item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}
