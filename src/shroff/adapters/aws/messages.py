"""Messages of SQS: how a transaction is put on a queue, and what comes off one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from shroff.ports import Message

LARGEST = 200 * 1024
"""Bytes of a body that travels with its message; a larger one is left in the table, to be claimed there."""

_CLAIM = "{}"
_DIGITS = 15
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What SQS refuses in a text."""


class Delivery(Struct, frozen=True, kw_only=True):
    """A message as SQS handed it over, once."""

    delivery_id: str
    """SQS's name for the message: what a batch's failures are told by."""
    handle: str
    receives: int
    """How often it was handed over, this time included."""
    message: Message
    claimed: bool = False
    """Whether its body was left in the table."""


def sqs_entry(message: Message, number: int, *, delay: int = 0, cause: str | None = None) -> dict[str, Any]:
    """An entry of SendMessageBatch."""
    body = _text(message.body)
    attributes = {"transaction_id": quote(message.transaction_id), "received_at": str(message.received_at)}
    if body is None:
        attributes["claim"] = "1"
    if cause is not None:
        attributes["cause"] = _UNWRITABLE.sub("\ufffd", cause)[:1_000] or "-"
    entry: dict[str, Any] = {
        "Id": str(number),
        "MessageBody": _CLAIM if body is None else body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    return entry | ({"DelaySeconds": delay} if delay else {})


def size_of_entry(entry: Mapping[str, Any]) -> int:
    """About the bytes that SQS counts for an entry."""
    attributes = entry["MessageAttributes"].items()
    named = sum(len(name) + len("String") + len(each["StringValue"].encode()) for name, each in attributes)
    return len(entry["MessageBody"].encode()) + named


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """What SQS handed over, as a Lambda's event has it or as ReceiveMessage answers it.

    What somebody put on the queue by hand has none of our attributes, and is named by SQS: whatever its body
    says, it was never accepted.
    """
    record = _lower(record)
    system = record.get("attributes") or {}
    given = {name: _lower(each).get("stringValue", "") for name, each in _attributes(record)}
    body = record.get("body", "").encode()
    received_at = _moment(given.get("received_at", "")) or _moment(system.get("SentTimestamp", ""))
    name = given.get("transaction_id")
    return Delivery(
        delivery_id=record["messageId"],
        handle=record["receiptHandle"],
        receives=int(system.get("ApproximateReceiveCount", 1)),
        message=Message(
            seq=received_at,
            transaction_id=unquote(name) if name else f"sqs-{record['messageId']}",
            body=body,
            received_at=received_at,
        ),
        claimed=given.get("claim") == "1",
    )


def with_body(delivery: Delivery, body: bytes) -> Delivery:
    """A delivery whose body was claimed."""
    return replace(delivery, message=replace(delivery.message, body=body), claimed=False)


def _text(body: bytes) -> str | None:
    """The body as SQS takes it, or None where it does not."""
    if not 0 < len(body) <= LARGEST:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if _UNWRITABLE.search(text) else text


def _moment(said: str) -> int:
    """Milliseconds; 0 where it says anything else, as what was put on the queue by hand may."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= _DIGITS else 0


def _attributes(record: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list((record.get("messageAttributes") or {}).items())


def _lower(members: Mapping[str, Any]) -> dict[str, Any]:
    """A Lambda's event begins its names small, an answer of SQS large."""
    return {name[:1].lower() + name[1:]: value for name, value in members.items()}
