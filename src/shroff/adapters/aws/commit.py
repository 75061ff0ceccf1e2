"""One commit as one transaction of DynamoDB: all of its writes or none, and why where it is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from shroff.adapters.aws.attributes import size_of
from shroff.adapters.aws.clients import Clients, code_of, translate
from shroff.core.errors import Contended, Fault, Rejected, Repeated, Retryable, TooLarge

MOST_WRITES = 100
MOST_BYTES = 3_900_000
"""DynamoDB takes 4 MB; what it counts beside the values is small."""
MOST_STATE = 390_000
"""Bytes of an entity's state: DynamoDB takes 400 KB an item, its key and its other attributes among them."""

_UNMET = frozenset(("ConditionalCheckFailed", "DuplicateItem"))
_HOT = frozenset(("ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError"))
"""More was written to one partition than it takes in a second: what a hot entity comes to."""
_FIRST = _UNMET | _HOT | {"TransactionConflict"}
_BUSY = _HOT | {"InternalServerError"}
_HEAVY = "Item size"
"""In the words by which DynamoDB refuses an item that is too large; the code is that of any wrong request."""
_REASONS = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write of a commit, and what it is about."""

    kind: Literal["record", "alert", "part", "message", "label", "turn"]
    about: str
    """The transaction's id, the alert's, or the entity and its key."""
    request: dict[str, Any]


class Lost(Contended):
    """Others were first at these writes, or so many that there was no room for ours."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self.writes = tuple(writes)
        named = ", ".join(sorted({f"{each.kind} {each.about}" for each in writes}))
        super().__init__(f"another worker was first at {named}")


def check_size(writes: Sequence[Write]) -> None:
    """Raises TooLarge for what one transaction of DynamoDB cannot hold."""
    if len(writes) > MOST_WRITES:
        raise TooLarge(f"{len(writes)} writes are more than the {MOST_WRITES} of one commit")
    size = sum(_size(each.request) for each in writes)
    if size > MOST_BYTES:
        raise TooLarge(f"{size} bytes are more than the {MOST_BYTES} of one commit")


def transact(clients: Clients, writes: Sequence[Write]) -> None:
    """Make all of the writes or none.

    Raises Repeated for transactions that were decided before, Contended where another worker was first,
    Rejected for an item that is too large, and Retryable where it is not known whether they were made: the
    same commit again then ends in Repeated.
    """
    if not writes:
        return
    try:
        with translate("committing"):
            # boto3 gives each call a token of its own: what it sends again after an answer was lost is not
            # done twice. A call of ours that follows has another, and is told what was decided before.
            clients.dynamodb.transact_write_items(TransactItems=[each.request for each in writes])
    except ClientError as error:
        cancelled = code_of(error) == "TransactionCanceledException"
        refusal = _refusal(_codes(error), writes) if cancelled else None
        refusal = refusal or _too_heavy(_heavy(error, writes))
        if refusal is None:
            raise
        raise refusal from error


def _refusal(reasons: Sequence[str], writes: Sequence[Write]) -> Exception | None:
    """What a cancelled transaction means, from the code beside each of its writes; None for a bug of ours."""
    pairs = [pair for pair in zip(writes, reasons, strict=False) if pair[1] not in {"None", ""}]
    unmet = [write for write, code in pairs if code in _UNMET]
    repeated = [write.about for write in unmet if write.kind == "record"]
    if repeated:
        return Repeated(repeated)
    codes = {code for _, code in pairs}
    if codes and codes <= _FIRST:
        return Lost([write for write, _ in pairs])
    if codes & _BUSY:
        return Retryable(f"committing: {', '.join(sorted(codes))}")
    return None


def _heavy(error: ClientError, writes: Sequence[Write]) -> list[Write]:
    """The writes whose items are too large; the heaviest where it was refused before any was tried."""
    if code_of(error) == "ValidationException" and _HEAVY in error.response["Error"].get("Message", ""):
        return [max(writes, key=lambda write: _size(write.request))]
    reasons = error.response.get("CancellationReasons") or ()
    return [
        write
        for write, reason in zip(writes, reasons, strict=False)
        if reason.get("Code") == "ValidationError" and _HEAVY in (reason.get("Message") or "")
    ]


def _too_heavy(writes: Sequence[Write]) -> Rejected | None:
    """That these items are too large, each with its size and what can be done: the same again never fits."""
    if not writes:
        return None
    faults = []
    for each in writes:
        what = "what is remembered of " if each.kind == "part" else f"{each.kind} "
        sentence = f"{what}{each.about} is {_size(each.request)} bytes, more than DynamoDB takes in one item"
        if each.kind == "part":
            entity = each.about.partition(" ")[0]
            sentence += f": publish a policy with fewer distinct counts or windows on {entity}"
        faults.append(Fault(each.kind, sentence))
    return Rejected(faults)


def _codes(error: ClientError) -> list[str]:
    """One code a write, in their order; the message has them too where the list did not come along."""
    reasons = error.response.get("CancellationReasons")
    if reasons:
        return [str(reason.get("Code") or "None") for reason in reasons]
    found = _REASONS.search(error.response["Error"].get("Message", ""))
    return [] if found is None else [code.strip() for code in found.group(1).split(",")]


def _size(request: dict[str, Any]) -> int:
    (write,) = request.values()
    named = ("Item", "Key", "ExpressionAttributeValues")
    return sum(size_of(write[name]) for name in named if name in write)
