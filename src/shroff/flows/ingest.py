"""Accepting transactions: from what a client sent to a durable place in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shroff.codec import decode_object, encode_transaction
from shroff.core.transaction import parse
from shroff.ports import Entry


def entry_of(body: bytes, *, currency: str, received_at: int) -> Entry:
    """What to append to the queue for one request body. Raises Rejected with all faults at once."""
    return entry_of_members(decode_object(body), currency=currency, received_at=received_at)


def entry_of_members(members: Mapping[str, Any], *, currency: str, received_at: int) -> Entry:
    """What to append to the queue for the members of one object. Raises Rejected with all faults at once."""
    transaction = parse(members, currency=currency)
    return Entry(
        transaction_id=transaction.transaction_id,
        body=encode_transaction(transaction),
        received_at=received_at,
    )
