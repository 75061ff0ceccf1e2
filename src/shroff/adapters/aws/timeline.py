"""The indexes by day and shard: items in the order of time, merged from all shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby
from zlib import crc32

from shroff.adapters.aws.attributes import Item, integer, number, text
from shroff.adapters.aws.days import Days, Kind, day_of
from shroff.adapters.aws.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index whose hash is a day and a shard, and whose range is a moment of that day."""

    name: str
    kind: Kind
    partition: str
    moment: str


BY_ACCEPTED = Index(name="by-accepted", kind="accepted", partition="accepted_in", moment="received_at")
BY_TIME = Index(name="by-time", kind="occurred", partition="occurred_in", moment="occurred_at")


def partition_of(moment: int, transaction_id: str, shards: int) -> str:
    """Where an item stands: its day, and one of the shards by its id."""
    return f"{day_of(moment)}#{crc32(transaction_id.encode()) % shards:02d}"


class Timeline:
    """One index, walked in the order of time; no item is read that is not in the span asked for."""

    def __init__(self, table: Table, index: Index, days: Days, shards: int) -> None:
        self._table = table
        self._index = index
        self._days = days
        self._shards = shards

    def walk(self, start: int, end: int, *, page: int | None = None) -> Iterator[Item]:
        """Items with start <= moment < end, by moment, then transaction_id; `page` where few will do."""
        for day in self._days.between(self._index.kind, start, end):
            # All shards are asked at once, so the first page of each is on its way before any is used.
            streams = [self._shard(day, shard, start, end, page) for shard in range(self._shards)]
            yield from merge(*streams, key=self._place)

    def latest(self, count: int) -> list[int]:
        """The latest moments, newest first, as many as there are up to `count`."""
        found: list[int] = []
        for day in reversed(self._days.between(self._index.kind, 0, 2**62)):
            ends = [self._query(day, shard, newest=count) for shard in range(self._shards)]
            moments = (integer(item, self._index.moment) for pages in ends for item in next(iter(pages), ()))
            found += sorted(moments, reverse=True)
            if len(found) >= count:
                break
        return found[:count]

    def _shard(self, day: str, shard: int, start: int, end: int, page: int | None) -> Iterator[Item]:
        pages = self._query(day, shard, span=(start, end), page=page)
        return self._ordered(chain.from_iterable(pages))

    def _ordered(self, items: Iterable[Item]) -> Iterator[Item]:
        """Items of one moment come in no order of their own."""
        for _, together in groupby(items, lambda item: integer(item, self._index.moment)):
            yield from sorted(together, key=self._place)

    def _place(self, item: Item) -> tuple[int, str]:
        return integer(item, self._index.moment), item["transaction_id"]["S"]

    def _query(
        self,
        day: str,
        shard: int,
        *,
        span: tuple[int, int] | None = None,
        page: int | None = None,
        newest: int | None = None,
    ) -> Iterator[list[Item]]:
        condition, values = "#partition = :partition", {":partition": text(f"{day}#{shard:02d}")}
        names = {"#partition": self._index.partition}
        if span is not None:
            condition += " AND #moment BETWEEN :start AND :last"
            names["#moment"] = self._index.moment
            values |= {":start": number(span[0]), ":last": number(span[1] - 1)}
        limit = newest or page
        return self._table.query(
            ahead=True,
            IndexName=self._index.name,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=newest is None,
            **({} if limit is None else {"Limit": limit}),
        )
