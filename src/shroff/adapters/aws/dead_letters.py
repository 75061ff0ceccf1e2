"""The dead letters on AWS: marks on what was accepted, beside the messages in SQS's dead-letter queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from msgspec.structs import replace

from shroff.adapters.aws.attributes import Item, data, number, text
from shroff.adapters.aws.cloud import Cloud
from shroff.adapters.aws.days import day_of
from shroff.adapters.aws.fates import accepted_and_decided, fates
from shroff.adapters.aws.letters import marked
from shroff.adapters.aws.messages import Delivery, delivery_of
from shroff.adapters.aws.sending import Line
from shroff.adapters.aws.sifting import Sieve
from shroff.adapters.aws.table import parts
from shroff.adapters.aws.transactions import (
    accepted_key,
    failures_data,
    failures_of,
    letter_of,
    message_of,
    occurred_at_of,
)  # fmt: skip
from shroff.codec import decode_transaction
from shroff.core.errors import Fault, Rejected
from shroff.ports import DeadLetter, Failure, Message

_CHUNK = 500
_LONGEST = 500
"""Characters of a cause that are kept; an item holds every failure of its message."""


class AwsDeadLetters:
    """What could not be processed, kept until a person decides. What was discarded stays, unchanged."""

    def __init__(self, cloud: Cloud, max_receives: int = 3) -> None:
        self._cloud = cloud
        self._max_receives = max_receives
        self._line = Line(cloud.clients, cloud.names.queue_url, cloud.pool)
        self._dead_line = Line(cloud.clients, cloud.names.dlq_url, cloud.pool)
        self._sieve = Sieve(cloud.clients, cloud.names.dlq_url)

    def bury(self, message: Message) -> bool:
        """Give a message up at once: its last failure is the cause. It goes to the dead-letter queue.

        False where it is decided after all, or was discarded.
        """
        if not self.note(message, dead=True):
            return False
        self._dead_line.send([message], cause=message.failures[-1].cause if message.failures else None)
        return True

    def bury_unread(self, record: Mapping[str, Any], cause: str) -> None:
        """The same with what SQS handed over and nobody can read: it is accepted, and dead, by this."""
        message = delivery_of(record).message
        self.bury(replace(message, failures=(Failure(at=self._cloud.clock(), cause=cause),)))

    def note(self, message: Message, *, dead: bool) -> bool:
        """Keep the failures of a message with those it had before.

        False where it is decided after all, or was discarded: then nothing is to come of it. `dead` where
        there is no further attempt: SQS itself moves it to the dead-letter queue.
        """
        accepted, decided = accepted_and_decided(self._cloud.transactions, message.transaction_id)
        if decided is not None:
            return False
        if accepted is None:
            self._cloud.days.note("accepted", {day_of(message.received_at)})
        before = () if accepted is None else failures_of(accepted.get("failures"))
        now = (replace(each, cause=each.cause[:_LONGEST]) for each in message.failures)
        failures = list(dict.fromkeys((*before, *now)))
        return self._cloud.transactions.update(**marked(self._cloud.forms, message, failures, dead=dead))

    def find(self, most: int | None = None) -> None:
        """Mark what SQS gave up while nobody could: its consumer was killed each time.

        With `most` no more are looked at than about so many, whichever SQS hands over.
        """
        self._sieve.sift(self._settle, most)

    def all(self) -> Iterator[DeadLetter]:
        """Oldest first; what SQS gave up is marked before, where its queue is ours to look through."""
        if self._cloud.names.dlq_url:
            self.find()
        pages = self._cloud.transactions.query(
            IndexName="by-death",
            KeyConditionExpression="#dead = :dead",
            ExpressionAttributeNames={"#dead": "dead"},
            ExpressionAttributeValues={":dead": text("dead")},
        )
        letters = map(letter_of, chain.from_iterable(map(self._undecided, pages)))
        for _, together in groupby(letters, lambda each: each.died_at):
            yield from sorted(together, key=lambda each: each.message.transaction_id)

    def get(self, transaction_id: str) -> DeadLetter | None:
        """The letter of a transaction, discarded or not."""
        accepted, decided = accepted_and_decided(self._cloud.transactions, transaction_id)
        if accepted is None or "dead" not in accepted or decided is not None:
            return None
        return letter_of(accepted)

    def edit(self, transaction_id: str, body: bytes) -> bool:
        """Replace the body; False where there is no such letter, or it was discarded.

        Raises Rejected where that would change the moment of what can be read already.
        """
        letter = self.get(transaction_id)
        if letter is None or letter.discarded:
            return False
        occurred_at = occurred_at_of(body, letter.message.received_at)
        _require_moment(letter.message, body)
        return self._change(
            transaction_id,
            "SET #body = :body, #occurred = :occurred, #edited = :edited",
            names={"#body": "body", "#occurred": "occurred_at", "#edited": "edited"},
            values={":body": data(body), ":occurred": number(occurred_at), ":edited": text("edited")},
        )

    def redrive(self, transaction_ids: Iterable[str], now: int) -> int:
        """Hand them over again from a first attempt; returns how many were there to hand over."""
        redriven: set[str] = set()
        for ids in parts(dict.fromkeys(transaction_ids), _CHUNK):
            letters = self._open(ids)
            # Sent before the mark goes: in between it is both, and its decision will say what it is.
            self._line.send([replace(message_of(item), failures=()) for item in letters])
            redriven |= set(self._cloud.pool.map(self._unmark, letters))
        self._delete(redriven)
        return len(redriven)

    def discard(self, transaction_ids: Iterable[str]) -> int:
        """Give them up for good; returns how many were not discarded before."""
        discarded = {each for each in dict.fromkeys(transaction_ids) if self._discard(each)}
        self._delete(discarded)
        return len(discarded)

    def _open(self, ids: Sequence[str]) -> list[Item]:
        """What can be handed over again of these."""
        items = self._undecided(self._cloud.transactions.get_many(map(accepted_key, ids)))
        return [item for item in items if "dead" in item and "discarded_at" not in item]

    def _undecided(self, items: Sequence[Item]) -> list[Item]:
        """A decision is the last fate: what was decided after it died is dead no more."""
        known = fates(self._cloud.transactions, [item["transaction_id"]["S"] for item in items])
        return [item for item in items if known.get(item["transaction_id"]["S"]) != "decided"]

    def _unmark(self, item: Item) -> str:
        name = str(item["transaction_id"]["S"])
        self._change(
            name,
            "SET #failures = :none REMOVE #dead, #died",
            names={"#failures": "failures", "#dead": "dead", "#died": "died_at"},
            values={":none": failures_data(())},
        )
        return name

    def _discard(self, transaction_id: str) -> bool:
        letter = self.get(transaction_id)
        return letter is not None and self._change(
            transaction_id,
            "SET #discarded = :now",
            names={"#discarded": "discarded_at"},
            values={":now": number(self._cloud.clock())},
        )

    def _change(self, transaction_id: str, update: str, *, names: dict[str, str], values: Item) -> bool:
        """Change an open letter; False where it is none, or none any more."""
        return self._cloud.transactions.update(
            Key=accepted_key(transaction_id),
            UpdateExpression=update,
            ConditionExpression="attribute_exists(#dead) AND attribute_not_exists(#discarded)",
            ExpressionAttributeNames={"#dead": "dead", "#discarded": "discarded_at"} | names,
            ExpressionAttributeValues=values,
        )

    def _delete(self, names: set[str]) -> None:
        """Take the messages of these off the dead-letter queue."""
        if names:
            self._sieve.sift(lambda found: [each for each in found if each.message.transaction_id in names])

    def _settle(self, found: Sequence[Delivery]) -> list[Delivery]:
        """Mark what SQS gave up by itself; returns what has no business in the dead-letter queue."""
        ids = [each.message.transaction_id for each in found]
        items = self._cloud.transactions.get_many(map(accepted_key, ids), ["transaction_id", "discarded_at"])
        discarded = {item["transaction_id"]["S"] for item in items if "discarded_at" in item}
        known = fates(self._cloud.transactions, ids)
        for each in found:
            if known.get(each.message.transaction_id) not in {"decided", "dead_lettered"}:
                self._mark(each.message)
        done = discarded | {name for name, fate in known.items() if fate == "decided"}
        return [each for each in found if each.message.transaction_id in done]

    def _mark(self, message: Message) -> None:
        cause = f"received {self._max_receives} times and never finished: see the function's log"
        self.note(replace(message, failures=(Failure(at=self._cloud.clock(), cause=cause),)), dead=True)


def _require_moment(message: Message, body: bytes) -> None:
    """Refuse another moment: it is half of a decision's key.

    A message with the old body may still be on its way, and would be decided beside the edited one.
    """
    try:
        before, new = decode_transaction(message.body), decode_transaction(body)
    except Rejected:
        return  # one of them never can be decided
    name = message.transaction_id
    if before.transaction_id == name and before.occurred_at != new.occurred_at:
        sentence = f'the timestamp of "{name}" cannot be changed'
        raise Rejected([Fault("timestamp", f"{sentence}: discard it and post it anew under another id")])
