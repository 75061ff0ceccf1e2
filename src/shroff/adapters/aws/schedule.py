"""The schedule in DynamoDB."""

from __future__ import annotations

from typing import Any

from shroff.adapters.aws.shelf import Shelf, key


class AwsSchedule:
    """When each periodic job last ran to its end; of two that end at once, the later tick stays."""

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def last(self, job: str) -> int | None:
        """None where the job has never run."""
        item = self._shelf.get("schedule", job)
        return None if item is None else int(item["tick"]["N"])

    def done(self, job: str, tick: int) -> None:
        """The job ran to its end for this tick; an earlier tick than the last one changes nothing."""
        self._shelf.attempt(
            self._shelf.client.update_item,
            Key=key("schedule", job),
            UpdateExpression="SET tick = :tick",
            ConditionExpression="attribute_not_exists(tick) OR tick < :tick",
            ExpressionAttributeValues={":tick": {"N": str(tick)}},
        )
