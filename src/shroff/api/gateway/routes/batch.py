"""POST /transactions/batch: newline-delimited JSON in, one result a line out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from shroff.api.gateway.answers import CONFLICT, NDJSON, Answer, fault_members, problem
from shroff.api.gateway.headers import require_lines
from shroff.api.gateway.intake import Intake
from shroff.api.gateway.request import POST, Request, Route
from shroff.codec import encode
from shroff.core.errors import Fault, Rejected
from shroff.ports import Entry, Receipt

_AT_ONCE = 64
"""Lines that are parsed before others get their turn: about a millisecond."""
_MOST_FAULTS = 8
"""Faults of one line that are told."""
_TOLD = 3 * 512 * 1024
"""Bytes of faults that a whole answer tells: an answer of AWS Lambda may have 6 MB, with what is accepted."""
_UNTOLD = {
    "status": 400,
    "error": "Too many lines are faulty to tell why this one is; post it by itself",
}

Outcome = Entry | dict[str, Any]
"""A line that can be accepted, or the result of one that cannot."""


class Batches:
    """Many transactions at a time."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def routes(self) -> dict[str, Route]:
        """Their addresses."""
        name = "/transactions/batch"
        return {name: Route(name, POST, "transactions:write", self.accept)}

    async def accept(self, request: Request) -> Answer:
        """200 with the result of each line, once the good ones are durable, all in one append.

        503 is for the whole batch: nothing of it was accepted.
        """
        self._intake.require_room()
        require_lines(request.headers)
        settings = self._intake.settings
        lines = _lines(await request.read(settings.batch_bytes))
        if not lines:
            return problem(400, "The batch has no lines")
        if len(lines) > settings.batch_lines:
            return problem(
                413, f"A batch has at most {settings.batch_lines} lines; this one has {len(lines)}"
            )
        if request.bucket is not None:
            request.bucket.owe(len(lines) - 1)
        outcomes = await self._parsed(lines)
        entries = [each for each in outcomes if isinstance(each, Entry)]
        receipts = iter(await self._intake.accept(entries) if entries else ())
        results = (_result(next(receipts)) if isinstance(each, Entry) else each for each in outcomes)
        return Answer(200, b"".join(encode(each) + b"\n" for each in results), NDJSON)

    async def _parsed(self, lines: list[bytes]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        told = 0
        for number, line in enumerate(lines, 1):
            outcome = self._outcome(line)
            if isinstance(outcome, dict):
                told += len(encode(outcome))
                outcome = _UNTOLD if told > _TOLD and outcome["status"] == 400 else outcome
            outcomes.append(outcome)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return outcomes

    def _outcome(self, line: bytes) -> Outcome:
        most = self._intake.settings.max_body
        if len(line) > most:
            return {"status": 413, "error": f"The line is larger than {most // 1024} KiB"}
        try:
            return self._intake.entry(line)
        except Rejected as rejected:
            return {"status": 400, **_told(rejected.faults)}


def _told(faults: Sequence[Fault]) -> dict[str, Any]:
    """The first faults of a line, and how many more there are."""
    more = len(faults) - _MOST_FAULTS
    members = fault_members(faults[:_MOST_FAULTS])
    return members if more <= 0 else members | {"more_faults": more}


def _lines(body: bytes) -> list[bytes]:
    """Its lines, without blank ones at the end; a blank one elsewhere is a line, and no JSON."""
    stripped = body.rstrip()
    return stripped.split(b"\n") if stripped else []


def _result(receipt: Receipt) -> dict[str, Any]:
    if receipt.status == "conflict":
        return {"status": 409, "transaction_id": receipt.transaction_id, "error": CONFLICT}
    return {"status": 202, "transaction_id": receipt.transaction_id, "message_id": receipt.message_id}
