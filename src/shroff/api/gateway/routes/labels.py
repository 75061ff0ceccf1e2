"""POST /labels: what a transaction turned out to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from shroff.api.gateway.answers import NDJSON, UNLABELLED, Answer, Refused, fault_members, problem
from shroff.api.gateway.entries import object_in
from shroff.api.gateway.headers import is_lines, require_json
from shroff.api.gateway.request import POST, Ask, Request, Route
from shroff.api.gateway.settings import GatewaySettings
from shroff.codec import encode
from shroff.core.errors import Rejected, Retryable
from shroff.flows.label import label_of_members
from shroff.ports import Clock, Label, Labels

_AT_ONCE = 64
"""Lines that are read before others get their turn."""
_MESSAGES = {"accepted": "Label accepted", "repeated": "Label was accepted before"}


class Labelling:
    """Keeps labels, one by one or line by line."""

    def __init__(self, labels: Labels, ask: Ask, clock: Clock, settings: GatewaySettings) -> None:
        self._labels = labels
        self._ask = ask
        self._clock = clock
        self._settings = settings

    def routes(self) -> dict[str, Route]:
        """Their address."""
        return {"/labels": Route("/labels", POST, "labels:write", self.accept)}

    async def accept(self, request: Request) -> Answer:
        """202 once the label is durable; lines of labels are answered line by line, as a batch is."""
        if is_lines(request.headers):
            return await self._accept_lines(request)
        require_json(request.headers)
        label = self._label(await request.read(self._settings.max_body))
        (status,) = await self._keep([label])
        return Answer(202, encode(_members(label, status)))

    async def _accept_lines(self, request: Request) -> Answer:
        body = (await request.read(self._settings.batch_bytes)).rstrip()
        lines = body.split(b"\n") if body else []
        if not lines:
            return problem(400, "The batch has no lines")
        if len(lines) > self._settings.batch_lines:
            return problem(
                413, f"A batch has at most {self._settings.batch_lines} lines; this one has {len(lines)}"
            )
        if request.bucket is not None:
            request.bucket.owe(len(lines) - 1)
        outcomes: list[Label | dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            outcomes.append(self._outcome(line))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        labels = [each for each in outcomes if isinstance(each, Label)]
        statuses = iter(await self._keep(labels) if labels else ())
        results = (
            {"status": 202, **_told(each, next(statuses))} if isinstance(each, Label) else each
            for each in outcomes
        )
        return Answer(200, b"".join(encode(each) + b"\n" for each in results), NDJSON)

    def _label(self, body: bytes) -> Label:
        return label_of_members(object_in(body), self._clock())

    def _outcome(self, line: bytes) -> Label | dict[str, Any]:
        try:
            return self._label(line)
        except Rejected as rejected:
            return {"status": 400, **fault_members(rejected.faults)}

    async def _keep(self, labels: Sequence[Label]) -> Sequence[str]:
        keep: Callable[[], Sequence[str]] = partial(self._labels.add, labels)
        try:
            statuses: Sequence[str] = await self._ask(keep)
        except Retryable:
            raise Refused(UNLABELLED) from None
        return statuses


def _members(label: Label, status: str) -> dict[str, Any]:
    return {"message": _MESSAGES[status], "transaction_id": label.transaction_id, "status": status}


def _told(label: Label, status: str) -> dict[str, Any]:
    return {"transaction_id": label.transaction_id, "message": _MESSAGES[status]}
