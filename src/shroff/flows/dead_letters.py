"""Looking at dead letters, and mending them."""

from __future__ import annotations

from typing import Any

from shroff.codec import decode_object, decode_transaction, instant, wire_members
from shroff.core.errors import Fault, Rejected
from shroff.core.transaction import Transaction, parse
from shroff.ports import DeadLetter, Message


def letter_members(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as its JSON members: the transaction as posted, or the body where it cannot be read."""
    message = letter.message
    return {
        "transaction_id": message.transaction_id,
        "state": "discarded" if letter.discarded else "dead",
        "received_at": instant(message.received_at),
        "died_at": instant(letter.died_at),
        "failures": failure_members(message),
        **content_members(message),
    }


def failure_members(message: Message) -> list[dict[str, str]]:
    """Every attempt at a message: when, and what went wrong."""
    return [{"at": instant(each.at), "cause": each.cause} for each in message.failures]


def content_members(message: Message) -> dict[str, Any]:
    """What a message carries, as `transaction` where it can be read and as `body` where not."""
    try:
        return {"transaction": wire_members(decode_transaction(message.body))}
    except Rejected:
        return {"body": message.body.decode(errors="replace")}


def mend(transaction_id: str, content: bytes, currency: str) -> Transaction:
    """The transaction that is to take a dead letter's place. Raises Rejected for a faulty or another one."""
    transaction = parse(decode_object(content), currency=currency)
    if transaction.transaction_id != transaction_id:
        sentence = f'the file holds transaction "{transaction.transaction_id}", not "{transaction_id}"'
        raise Rejected([Fault("transaction_id", sentence)])
    return transaction
