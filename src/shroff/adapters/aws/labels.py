"""The labels in DynamoDB: kept, listed, and learned by whoever looks back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

from shroff.adapters.aws.attributes import number, text
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.fates import accepted_and_decided
from shroff.adapters.aws.label_items import (
    INDEX,
    LOG,
    PENDING,
    label_item,
    label_key,
    label_of,
    log_item,
    put_off_update,
    under,
)
from shroff.adapters.aws.shelf import Item, Shelf
from shroff.adapters.aws.table import parts
from shroff.adapters.aws.transactions import record_of
from shroff.core.transaction import Transaction
from shroff.ports import Due, Label, Learned

_TOGETHER = 25
"""Transactions whose labels are looked at at once: with the parts of their entities they are one commit."""
_READ = 1_000


class AwsLabels:
    """Two items a label: under its transaction, which makes it one of a kind, and in the order of arrival.

    The first also says whether the label was learned. A label's number is the moment in which it came; those
    of one moment have the same.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._shelf = Shelf(cloud.clients.dynamodb, cloud.names.state)

    def add(self, labels: Sequence[Label]) -> list[Literal["accepted", "repeated"]]:
        """Keep labels, each by itself; after a failure, adding all of them again completes it."""
        return [self._add(label) for label in labels]

    def after(self, number: int, limit: int) -> list[Label]:
        """Labels in the order of arrival; all those of the last moment, so that none is left out."""
        found: list[Label] = []
        for label in self._log(number + 1):
            if len(found) >= limit and label.number != found[-1].number:
                break
            found.append(label)
        return found

    def of(self, transaction_ids: Sequence[str]) -> list[Label]:
        """Every label of these transactions, in the order of arrival."""
        items = self._items(transaction_ids)
        return sorted(map(label_of, items), key=_arrival)

    def counts(self) -> dict[str, int]:
        """fraud and legitimate, learned and passed, counted by a walk over all of them."""
        frauds, learned, passed, count = 0, 0, 0, 0
        for items in parts(self._log(0), _READ):
            count, frauds = count + len(items), frauds + sum(label.fraud for label in items)
            kept = self._cloud.state.get_many(map(label_key, items))
            learned += sum("learned_before" in each for each in kept)
            passed += sum("passed_before" in each for each in kept)
        return {"fraud": frauds, "legitimate": count - frauds, "learned": learned, "passed": passed}

    def due(self, known_at: int, limit: int) -> list[Due]:
        """Not learned yet, known by then, their transactions decided; by known_at, then by arrival."""
        found = [each for ids in self.pending(known_at) for each in self.due_of(ids, known_at)[0]]
        return sorted(found, key=lambda each: _when(each.label))[:limit]

    def pending(self, now: int) -> Iterator[list[str]]:
        """Ids of transactions with labels that are known by now and wait, some at a time, oldest first.

        By an index, which may lag behind: some may have been learned meanwhile.
        """
        pages = self._cloud.state.query(
            IndexName=INDEX,
            KeyConditionExpression="#pending = :pending AND #look_at <= :now",
            ExpressionAttributeNames={"#pending": "pending", "#look_at": "look_at"},
            ExpressionAttributeValues={":pending": text(PENDING), ":now": number(now)},
        )
        ids = (item["about"]["S"] for page in pages for item in page)
        yield from parts(_once(ids), _TOGETHER)

    def due_of(self, transaction_ids: Sequence[str], now: int) -> tuple[list[Due], list[Label]]:
        """Of these transactions' labels what is due, and what waits for its transaction."""
        items = self._items(transaction_ids)
        waiting = [label_of(each) for each in items if "pending" in each]
        waiting = sorted((each for each in waiting if each.known_at <= now), key=_when)
        words = {
            label.transaction_id: label
            for label in sorted((label_of(each) for each in items if "pending" not in each), key=_when)
        }
        known = self._decided([each.transaction_id for each in waiting])
        due = [
            Due(label=label, transaction=transaction, word=words.get(label.transaction_id))
            for label in waiting
            if (transaction := known.get(label.transaction_id)) is not None
        ]
        return due, [label for label in waiting if label.transaction_id not in known]

    def put_off(self, until: Sequence[tuple[Label, int]]) -> None:
        """Labels that are not looked for again before a moment, each with its own."""
        state = self._cloud.state
        for _ in self._cloud.pool.map(lambda each: state.update(**put_off_update(*each)), until):
            pass

    def learned(self, after: int, limit: int) -> list[Learned]:
        """What was learned when this was first asked, by the `seq` of the records before which it was.

        All labels are walked once. A record of a transaction that the table forgot since is left out.
        """
        found: list[Learned] = []
        while not found and (some := self._in_order[after : after + limit]):
            known = self._decided([label.transaction_id for _, label in some])
            found = [
                Learned(place=place, before=before, label=label, transaction=known[label.transaction_id])
                for place, (before, label) in enumerate(some, after + 1)
                if label.transaction_id in known
            ]
            after += limit
        return found

    @cached_property
    def _in_order(self) -> list[tuple[int, Label]]:
        """(before, label) of what was learned, in that order."""
        found: list[tuple[int, Label]] = []
        for labels in parts(self._log(0), _READ):
            items = self._cloud.state.get_many(map(label_key, labels))
            found += [
                (int(item["learned_before"]["N"]), label_of(item))
                for item in items
                if "learned_before" in item
            ]
        return sorted(found, key=lambda each: (each[0], _when(each[1]), each[1].transaction_id))

    def _decided(self, transaction_ids: Sequence[str]) -> dict[str, Transaction]:
        """Those of the transactions that are decided, by their ids."""
        table, ids = self._cloud.transactions, list(dict.fromkeys(transaction_ids))
        found = self._cloud.pool.map(lambda each: accepted_and_decided(table, each)[1], ids)
        return {
            transaction_id: record_of(item).transaction
            for transaction_id, item in zip(ids, found, strict=True)
            if item is not None
        }

    def _items(self, transaction_ids: Sequence[str]) -> list[Item]:
        """The items of every label of these transactions."""
        found = self._cloud.pool.map(
            lambda each: list(self._shelf.under(under(each))), dict.fromkeys(transaction_ids)
        )
        return [item for items in found for item in items]

    def _add(self, label: Label) -> Literal["accepted", "repeated"]:
        before = sorted(map(label_of, self._shelf.under(under(label.transaction_id))), key=_arrival)
        same = [each for each in before if each.source == label.source]
        if label.stated:
            same = [each for each in same if (each.fraud, each.known_at) == (label.fraud, label.known_at)]
        elif same and same[-1].fraud != label.fraud:
            same = []
        if not same and self._shelf.put_new(label_item(label)):
            self._note(label)
            return "accepted"
        # A crash between the two items leaves the second one to whoever repeats the label.
        for each in same[-1:]:
            self._note(each)
        return "repeated"

    def _note(self, label: Label) -> None:
        """Put a label into the log, where it may be already."""
        self._shelf.attempt(self._shelf.client.put_item, Item=log_item(label))

    def _log(self, start: int) -> Iterator[Label]:
        return map(label_of, self._shelf.under(LOG, span=(f"{start:014d}", "~")))


def _once(ids: Iterable[str]) -> Iterator[str]:
    seen = set[str]()
    for each in ids:
        if each not in seen:
            seen.add(each)
            yield each


def _arrival(label: Label) -> tuple[int, int]:
    return label.number, label.known_at


def _when(label: Label) -> tuple[int, int]:
    return label.known_at, label.number
