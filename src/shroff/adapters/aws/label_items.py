"""Labels as items of the state table, and the writes that learning some of them comes to.

A label that waits to be learned says so by `pending`, which makes it one of the sparse index of that name,
and by `look_at`, from when on it is looked for. Learned or passed, it leaves the index with the same write.
"""

from __future__ import annotations

from typing import Any

from shroff.adapters.aws.attributes import Item, number, text
from shroff.adapters.aws.commit import Write
from shroff.adapters.aws.intermission import PAUSED
from shroff.adapters.aws.shelf import key
from shroff.ports import Label, Uptake

LOG, PENDING = "labels", "label"
"""The hash key of the log of all labels, and that of the index of those that wait."""
INDEX = "pending"
_WORDS = {True: "fraud", False: "legitimate"}


def under(transaction_id: str) -> str:
    """The hash key of a transaction's labels."""
    return f"label#{transaction_id}"


def label_key(label: Label) -> Item:
    """The key that makes a label one of its kind."""
    return key(under(label.transaction_id), _sk(label))


def label_item(label: Label) -> Item:
    """A label that is new, and waits."""
    waits = {"pending": text(PENDING), "look_at": number(label.known_at)}
    return label_key(label) | _attributes(label) | waits


def log_item(label: Label) -> Item:
    """A label in the order of arrival."""
    sk = f"{label.received_at:014d}#{label.transaction_id}#{_sk(label)}"
    return key(LOG, sk) | _attributes(label)


def label_of(item: Item) -> Label:
    """The label of either item."""
    return Label(
        transaction_id=item["about"]["S"],
        fraud=item["fraud"]["BOOL"],
        source=item["source"]["S"],
        known_at=int(item["known_at"]["N"]),
        received_at=int(item["received_at"]["N"]),
        stated=item["stated"]["BOOL"],
        number=int(item["received_at"]["N"]),
    )


def put_off_update(label: Label, until: int) -> dict[str, Any]:
    """The write that has a label looked for later, where it still waits."""
    return {
        "Key": label_key(label),
        "UpdateExpression": "SET #look_at = :until",
        "ConditionExpression": "attribute_exists(#pending)",
        "ExpressionAttributeNames": {"#look_at": "look_at", "#pending": "pending"},
        "ExpressionAttributeValues": {":until": number(until)},
    }


def label_writes(table: str, uptake: Uptake, before: int) -> list[Write]:
    """The writes by which labels stop to wait, each where it still does.

    Learned ones keep before which `seq` of their entities' records that was, passed ones that they were.
    """
    done = [(label, "learned_before", before) for label in uptake.learned]
    done += [(label, "passed_before", before) for label in uptake.passed]
    return [
        Write(
            kind="label",
            about=label.transaction_id,
            request={
                "Update": {
                    "TableName": table,
                    "Key": label_key(label),
                    "UpdateExpression": "SET #done = :before REMOVE #pending, #look_at",
                    "ConditionExpression": "attribute_exists(#pending)",
                    "ExpressionAttributeNames": {"#done": name, "#pending": "pending", "#look_at": "look_at"},
                    "ExpressionAttributeValues": {":before": number(value)},
                }
            },
        )
        for label, name, value in done
    ]


def turn_check(table: str, turn: int) -> Write:
    """That deciding has not stood still since the turn was asked for.

    Who makes state ready for other windows meanwhile has read what was learned, and would not know of more.
    """
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(tick)"}
    if turn:
        condition = {
            "ConditionExpression": "tick = :tick",
            "ExpressionAttributeValues": {":tick": number(turn)},
        }
    check = {"TableName": table, "Key": key("schedule", PAUSED), **condition}
    return Write(kind="turn", about="deciding, which stood still", request={"ConditionCheck": check})


def _sk(label: Label) -> str:
    return f"{label.known_at:014d}#{label.source}#{_WORDS[label.fraud]}"


def _attributes(label: Label) -> Item:
    return {
        "about": {"S": label.transaction_id},
        "fraud": {"BOOL": label.fraud},
        "source": {"S": label.source},
        "known_at": {"N": str(label.known_at)},
        "received_at": {"N": str(label.received_at)},
        "stated": {"BOOL": label.stated},
    }
