"""The ledger in DynamoDB: what became of every transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from shroff.adapters.aws.attributes import text
from shroff.adapters.aws.backlog import backlog
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.commit import check_size, transact
from shroff.adapters.aws.fates import accepted_and_decided, fates
from shroff.adapters.aws.table import parts
from shroff.adapters.aws.transactions import record_of
from shroff.adapters.aws.writes import work_writes, write_before
from shroff.core.errors import Repeated
from shroff.core.policy import OUTCOMES
from shroff.ports import Fate, Message, Record, Work

_CHUNK, _ASKED = 2_000, 10_000
_SETTLING = 60_000
"""Milliseconds after which what was accepted is on the queue, and what was decided in the index."""
_FOREVER = 2**62


class AwsLedger:
    """What became of every accepted transaction, read by key or by index and never by scan."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def commit(self, work: Work) -> None:
        """Keep all of the work or none of it. Raises ValueError for an id decided before, TooLarge.

        The position is no worker's here, and what is settled is decided, which is the last fate.
        """
        failed = [each.message.transaction_id for each in work.unsettled]
        again = sorted(name for name, fate in self.fates(failed).items() if fate == "decided")
        if again:
            raise ValueError(f"decided before: {', '.join(again)}")
        writes, _ = work_writes(self._cloud, work, 1)
        check_size(writes)
        write_before(self._cloud, work)
        try:
            transact(self._cloud.clients, writes)
        except Repeated as error:
            raise ValueError(str(error)) from error

    def position(self) -> int:
        """Nothing that was accepted up to here waits; 0 while anything is on the queue."""
        if backlog(self._cloud.clients, self._cloud.names.queue_url):
            return 0
        return self._cloud.clock() - _SETTLING

    def fates(self, transaction_ids: Sequence[str]) -> dict[str, Fate]:
        """What became of each; an id without a fate is left out."""
        return fates(self._cloud.transactions, transaction_ids)

    def due(self, now: int, limit: int) -> list[Message]:
        """None: the queue itself hands over again what failed."""
        return []

    def find(self, transaction_id: str) -> Record | None:
        """The record of a decided transaction."""
        _, decided = accepted_and_decided(self._cloud.transactions, transaction_id)
        return None if decided is None else record_of(decided)

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        """Records with start <= occurred_at < end, by occurred_at, then transaction_id."""
        for items in parts(self._cloud.by_time.walk(start, end), _CHUNK):
            yield [record_of(item) for item in items]

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        """Records above a `seq`, by occurred_at: among many workers there is no one order of observation."""
        for records in self.between(0, _FOREVER):
            if kept := [record for record in records if record.seq > after]:
                yield kept

    def newest(self) -> int | None:
        """The latest occurred_at but for three, whose clocks may be ahead; None for fewer than four."""
        latest = self._cloud.by_time.latest(4)
        return latest[3] if len(latest) > 3 else None

    def totals(self) -> dict[str, int]:
        """decided, retrying, dead_lettered (discarded ones too), alerts, and one `outcome.NAME` each.

        Counted by walking the indexes: what is counted beside them could not be trusted.
        """
        outcomes = Counter(item["outcome"]["S"] for item in self._cloud.by_time.walk(0, _FOREVER))
        accepted = (item["transaction_id"]["S"] for item in self._cloud.by_accepted.walk(0, _FOREVER))
        fated = Counter(fate for ids in parts(accepted, _ASKED) for fate in self.fates(ids).values())
        return {
            "decided": outcomes.total(),
            "retrying": fated["retrying"],
            "dead_lettered": fated["dead_lettered"],
            "alerts": self._alerts(),
        } | {f"outcome.{outcome}": outcomes[outcome] for outcome in OUTCOMES}

    def _alerts(self) -> int:
        pages = (
            self._cloud.state.query(
                IndexName="by-day",
                KeyConditionExpression="#day = :day",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues={":day": text(day)},
            )
            for day in self._cloud.days.between("occurred", 0, _FOREVER)
        )
        return sum(len(page) for each in pages for page in each)
