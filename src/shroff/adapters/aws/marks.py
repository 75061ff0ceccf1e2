"""The late marks in DynamoDB."""

from __future__ import annotations

from typing import Any

from shroff.adapters.aws.shelf import Shelf, key
from shroff.ports import FOREVER

_PK = "late"
_END = 10**14
"""Past the last moment that has a key; no window that has ended is anywhere near."""


class AwsLateMarks:
    """Sealed windows into which something came late; a mark's number is the moment of the newest one.

    A moment, since a number that began again after a mark was cleared could be taken for the one before.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def mark(self, start: int, now: int) -> None:
        """Something is about to come into the window that begins at `start`; call it before the commit."""
        update = {"Key": key(_PK, f"{start:014d}"), "ExpressionAttributeNames": {"#number": "number"}}
        grown = self._shelf.attempt(
            self._shelf.client.update_item,
            UpdateExpression="SET #number = :now",
            ConditionExpression="attribute_not_exists(#number) OR #number < :now",
            ExpressionAttributeValues={":now": {"N": str(now)}},
            **update,
        )
        if not grown:  # another mark in the same millisecond, or by a clock that is ahead
            self._shelf.attempt(
                self._shelf.client.update_item,
                UpdateExpression="SET #number = if_not_exists(#number, :now) + :one",
                ExpressionAttributeValues={":now": {"N": str(now)}, ":one": {"N": "1"}},
                **update,
            )

    def all(self, start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
        """(start of the window, a number that grows with every mark), the oldest window first.

        No mark is read that is not asked for: an import of years leaves one for each of its windows.
        """
        if start >= end:
            return []
        span = (f"{start:014d}", f"{min(end, _END) - 1:014d}")
        marks = self._shelf.under(_PK, span=span)
        return [(int(item["sk"]["S"]), int(item["number"]["N"])) for item in marks]

    def clear(self, start: int, number: int) -> None:
        """Forget a mark, unless it has grown since."""
        self._shelf.attempt(
            self._shelf.client.delete_item,
            Key=key(_PK, f"{start:014d}"),
            ConditionExpression="#number = :number",
            ExpressionAttributeNames={"#number": "number"},
            ExpressionAttributeValues={":number": {"N": str(number)}},
        )
