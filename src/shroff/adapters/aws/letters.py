"""How a failure is marked on what was accepted: the truth about dead letters, whatever a queue holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shroff.adapters.aws.attributes import Item, number, text
from shroff.adapters.aws.transactions import Forms, accepted_key, failures_data
from shroff.ports import Entry, Failure, Message

DEAD = text("dead")


def marked(forms: Forms, message: Message, failures: Sequence[Failure], *, dead: bool) -> dict[str, Any]:
    """An update that marks a message as failed, for another attempt or as dead.

    What was never accepted, since somebody put it on the queue by hand, is accepted by it: a dead letter is a
    dead letter. What a person discarded stays as it is, whatever a stray duplicate meets.
    """
    entry = Entry(transaction_id=message.transaction_id, body=message.body, received_at=message.received_at)
    first = forms.accepted(entry, f"found-{message.received_at}")
    key = accepted_key(message.transaction_id)
    first = {name: value for name, value in first.items() if name not in key}
    new: Item = {"failures": failures_data(failures)}
    if dead:
        new |= {"dead": DEAD, "died_at": number(died_at(message.received_at, failures))}
    sets = [f"#{name} = if_not_exists(#{name}, :{name})" for name in first]
    sets += [f"#{name} = :{name}" for name in new]
    gone = () if dead else ("dead", "died_at")
    remove = f" REMOVE {', '.join('#' + name for name in gone)}" if gone else ""
    return {
        "Key": key,
        "UpdateExpression": f"SET {', '.join(sets)}{remove}",
        "ConditionExpression": "attribute_not_exists(#discarded_at)",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*first, *new, *gone, "discarded_at")},
        "ExpressionAttributeValues": {f":{name}": value for name, value in (first | new).items()},
    }


def died_at(received_at: int, failures: Sequence[Failure]) -> int:
    """A message dies of its last failure."""
    return failures[-1].at if failures else received_at
