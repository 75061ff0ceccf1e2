"""The queue on AWS: what was accepted is in DynamoDB, what is to be decided is on SQS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import wait
from itertools import chain
from typing import Any
from uuid import uuid4

from shroff.adapters.aws.attributes import Item, integer
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.days import day_of
from shroff.adapters.aws.fates import fates
from shroff.adapters.aws.messages import Delivery, delivery_of, with_body
from shroff.adapters.aws.sending import Line
from shroff.adapters.aws.transactions import accepted_key, message_of
from shroff.ports import Entry, Message, Receipt

_FOREVER = 2**62
_MANY = 1_000
"""Of so many each shard is asked for its share and some more, of fewer for all; the rest is read again."""


class AwsQueue:
    """Accepting is a conditional put, then a message; the same id with the same content is put once.

    What was put and never sent, as the process died between, was never answered either: who posts it again
    sends it, and so does the audit.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._line = Line(cloud.clients, cloud.names.queue_url, cloud.pool)

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Accept entries, each durable and on the queue when this returns.

        Raises Retryable where that is not sure of all; those that were accepted are answered as repeated
        when they come again.
        """
        receipts, held = self._accept(entries)
        self._send_new(receipts, held)
        return receipts

    def keep(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Accept entries without a message: whoever asks for this decides them at once, or sends them."""
        return self._accept(entries)[0]

    def _accept(self, entries: Sequence[Entry]) -> tuple[list[Receipt], dict[str, tuple[Item, bool]]]:
        firsts = {each.transaction_id: each for each in reversed(entries)}
        self._cloud.days.note("accepted", {day_of(each.received_at) for each in firsts.values()})
        firsts = {each.transaction_id: firsts[each.transaction_id] for each in entries}
        held = dict(zip(firsts, self._put_all(list(firsts.values())), strict=True))
        receipts = [_receipt(each, *held[each.transaction_id], first=each is firsts[each.transaction_id])
                    for each in entries]  # fmt: skip
        return receipts, held

    def send(self, messages: Sequence[Message], *, delay: int = 0) -> None:
        """Put messages on the queue (again), to be handed over after `delay` seconds."""
        self._line.send(messages, delay=delay)

    def deliveries(self, records: Iterable[Mapping[str, Any]]) -> list[Delivery]:
        """What SQS handed over, with the bodies that were left in the table."""
        found = [delivery_of(record) for record in records]
        claimed = [accepted_key(each.message.transaction_id) for each in found if each.claimed]
        if not claimed:
            return found
        items = self._cloud.transactions.get_many(claimed, ["transaction_id", "body"])
        bodies = {item["transaction_id"]["S"]: item["body"]["B"] for item in items}
        return [
            with_body(each, bodies.get(each.message.transaction_id, each.message.body))
            if each.claimed
            else each
            for each in found
        ]

    def read(self, after: int, limit: int) -> list[Message]:
        """Messages that were received after a moment and are neither decided nor dead, oldest first."""
        while page := self.ids(after, limit):
            names = [name for _, name in page]
            known = self._fates(names)
            flying = [name for name in names if known.get(name, "retrying") == "retrying"]
            items = self._cloud.transactions.get_many(map(accepted_key, flying))
            if items:
                return sorted(map(message_of, items), key=lambda each: (each.seq, each.transaction_id))
            after = page[-1][0]
        return []

    def find(self, transaction_id: str) -> Message | None:
        """The message that carries a transaction."""
        item = self._cloud.transactions.get(accepted_key(transaction_id))
        return None if item is None else message_of(item)

    def last(self) -> int:
        """The moment at which the newest message was received; 0 without any."""
        return next(iter(self._cloud.by_accepted.latest(1)), 0)

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(received_at, transaction_id) in order, after a moment; a page ends with all of its last moment."""
        found: list[tuple[int, str]] = []
        shards = self._cloud.forms.shards
        page = limit if limit < _MANY else limit // shards + _MANY // shards
        for item in self._cloud.by_accepted.walk(after + 1, _FOREVER, page=page):
            moment = integer(item, "received_at")
            if len(found) >= limit and moment != found[-1][0]:
                break
            found.append((moment, item["transaction_id"]["S"]))
        return found

    def _put_all(self, entries: Sequence[Entry]) -> list[tuple[Item, bool]]:
        if len(entries) == 1:
            return [self._put(entries[0])]
        puts = [self._cloud.pool.submit(self._put, each) for each in entries]
        # All of them, though one may fail: a put that is left behind is frozen with its function, and made
        # whenever that is thawed, long after the audit looked there.
        wait(puts)
        return [each.result() for each in puts]

    def _put(self, entry: Entry) -> tuple[Item, bool]:
        """What is accepted under the entry's id, and whether that is the entry, now."""
        item = self._cloud.forms.accepted(entry, uuid4().hex)
        held = self._cloud.transactions.put(item, ConditionExpression="attribute_not_exists(transaction_id)")
        if held is None or held.get("message_id") == item["message_id"]:
            # The second is our own: the first answer was lost, and boto3 asked again.
            return item, True
        return held, False

    def _send_new(self, receipts: Sequence[Receipt], held: Mapping[str, tuple[Item, bool]]) -> None:
        """Send what is new, and what was accepted before without a trace of what became of it."""
        new = [name for name, (_, fresh) in held.items() if fresh]
        again = {each.transaction_id for each in receipts if each.status == "repeated"}.difference(new)
        known = self._fates(sorted(again)) if again else {}
        lost = (name for name in again if name not in known)
        self.send([message_of(held[name][0]) for name in chain(new, sorted(lost))])

    def _fates(self, names: Sequence[str]) -> Mapping[str, str]:
        return fates(self._cloud.transactions, names)


def _receipt(entry: Entry, held: Item, fresh: bool, *, first: bool) -> Receipt:
    same = held["body"]["B"] == entry.body
    return Receipt(
        transaction_id=entry.transaction_id,
        message_id=held["message_id"]["S"],
        status="accepted" if fresh and first else "repeated" if same else "conflict",
    )
