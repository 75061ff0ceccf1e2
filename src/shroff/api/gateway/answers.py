"""Answers of the contract, each text in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from shroff.codec import encode
from shroff.core.errors import Fault
from shroff.ports import DeadLetter, Receipt

Headers = list[tuple[str, str]]

JSON: Headers = [("content-type", "application/json")]
NDJSON: Headers = [("content-type", "application/x-ndjson")]

INVALID_JSON = "Invalid JSON in request body"
ACCEPTED = "Transaction accepted for processing"
CONFLICT = "This transaction_id was accepted before with other content; nothing was changed"


class Answer(NamedTuple):
    """One HTTP response."""

    status: int
    body: bytes
    headers: Headers = JSON


class Refused(Exception):
    """Ends a request early, with its answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


def found(members: Any) -> Answer:
    """200 with JSON that no cache may keep."""
    return Answer(200, encode(members), [*JSON, ("cache-control", "no-store")])


def problem(status: int, error: str, *headers: tuple[str, str]) -> Answer:
    """An error with one sentence for people."""
    return Answer(status, encode({"error": error}), [*JSON, *headers] if headers else JSON)


def receipt_answer(receipt: Receipt) -> Answer:
    """202 for what is durable, now or since before; 409 for a conflict."""
    if receipt.status == "conflict":
        return problem(409, CONFLICT)
    return Answer(202, encode(accepted_members(receipt)))


def accepted_members(receipt: Receipt) -> dict[str, Any]:
    """What a client is told of an accepted transaction."""
    return {"message": ACCEPTED, "transaction_id": receipt.transaction_id, "message_id": receipt.message_id}


def fault_members(faults: Sequence[Fault]) -> dict[str, Any]:
    """The first fault as `error`, all of them as `faults`; a body that is no JSON object has no fields."""
    first = faults[0].problem
    if first == INVALID_JSON:
        return {"error": first}
    return {"error": first, "faults": [{"field": each.field, "problem": each.problem} for each in faults]}


def cause_of(dead: DeadLetter) -> str:
    """Why it was given up, in the words of its last failure."""
    failures = dead.message.failures
    return failures[-1].cause if failures else "unknown"


def faulty(faults: Sequence[Fault]) -> Answer:
    """400 with all faults."""
    return Answer(400, encode(fault_members(faults)))


def busy(error: str, *, after: int = 1) -> Answer:
    """503: nothing was accepted, worth another attempt `after` seconds."""
    return problem(503, error, ("retry-after", str(after)))


def too_large(most: int) -> Answer:
    """413 with the limit."""
    size = f"{most // 1024} KiB" if most % 1024 == 0 else f"{most} bytes"
    return problem(413, f"The request body is larger than {size}")


def not_allowed(allowed: Sequence[str]) -> Answer:
    """405 with the methods that would do."""
    names = ", ".join(allowed)
    return problem(405, f"This address answers {names}", ("allow", names))


FULL = busy("Too many transactions are in flight; nothing was accepted, try again")
UNSTORED = busy("The queue cannot store transactions now; nothing was accepted, try again")
UNLABELLED = busy("The store cannot keep labels now; none was accepted, try again")
STOPPING = busy("The gateway is stopping; nothing was accepted, try again")
TOO_SLOW = problem(408, "The request body did not come in time", ("connection", "close"))
UNREADABLE = busy("The store cannot be read now; try again")
NOT_FOUND = problem(404, "There is nothing at this address")
UNKNOWN = problem(404, "No transaction with this transaction_id was accepted")
BROKEN = problem(500, "The gateway failed to handle this request; it was logged")
