"""When a message happened: what says which day it belongs to."""

from __future__ import annotations

from decimal import Decimal

from shroff.codec import decode_object, decode_transaction
from shroff.core.errors import Rejected
from shroff.ports import Message

_LAST = 253_402_300_800_000  # the year 10000


def moment_of(message: Message) -> int:
    """When the message's transaction occurred; where its body does not say, when it was received. In ms."""
    try:
        return decode_transaction(message.body).occurred_at
    except Rejected:
        stated = _stated(message.body)
        return message.received_at if stated is None else stated


def _stated(body: bytes) -> int | None:
    """What a body that is no transaction says of its time, kept or posted."""
    try:
        members = decode_object(body)
    except Rejected:
        return None
    for name, unit in (("occurred_at", 1), ("timestamp", 1000)):
        value = members.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value < _LAST // unit:
            return int(value * unit)
    return None
