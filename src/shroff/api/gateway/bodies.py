"""Request bodies: read within their limits of size and time, and only where they say they are JSON."""

from __future__ import annotations

import asyncio
from time import monotonic

from shroff.api.gateway.answers import TOO_SLOW, Answer, Refused, problem
from shroff.api.gateway.request import Request
from shroff.api.gateway.rsgi import HTTPProtocol

_DRAINED = 32 * 1024 * 1024
"""Bytes of a too large body that are read away, so that the client gets to read its answer."""
_BYTES_PER_SECOND = 256 * 1024
_LINES = frozenset(f"application/{kind}" for kind in ("x-ndjson", "ndjson", "jsonlines", "json"))


class Bodies:
    """Reads bodies, and gives up on those that do not come: a stop would wait for them.

    One look a second at all who read costs a tenth of what a timer for each request would.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._readers: dict[asyncio.Task[object], float] = {}

    async def read(self, request: Request, most: int) -> bytes:
        """The whole body. Refuses more than `most` bytes with 413, and what does not come with 408."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a body is read within a task")
        declared = request.headers.get("content-length")
        length = most if declared is None else int(declared)
        self._readers[task] = monotonic() + self._patience + min(length, _DRAINED) / _BYTES_PER_SECOND
        try:
            return await _read(request.proto, None if declared is None else length, most)
        except asyncio.CancelledError:
            if task in self._readers:
                raise
            task.uncancel()
            raise Refused(TOO_SLOW) from None
        finally:
            self._readers.pop(task, None)

    async def give_up(self) -> None:
        """End the reading of bodies whose time is over."""
        now = monotonic()
        for task in [task for task, until in self._readers.items() if until < now]:
            del self._readers[task]
            task.cancel()


async def _read(proto: HTTPProtocol, declared: int | None, most: int) -> bytes:
    if declared is None:
        return await _gather(proto, most)
    if declared > most:
        if declared <= _DRAINED:
            await _drain(proto)
        raise Refused(_too_large(most))
    return await proto()


async def _gather(proto: HTTPProtocol, most: int) -> bytes:
    """A body of unannounced length, chunk by chunk."""
    chunks, size = [], 0
    async for chunk in proto:
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif size > _DRAINED:
            break
    if size > most:
        raise Refused(_too_large(most))
    return b"".join(chunks)


async def _drain(proto: HTTPProtocol) -> None:
    async for _ in proto:
        pass


def _too_large(most: int) -> Answer:
    size = f"{most // 1024} KiB" if most % 1024 == 0 else f"{most} bytes"
    return problem(413, f"The request body is larger than {size}")


def require_json(request: Request) -> None:
    """Refuse with 415 a body that says it is something else; one that says nothing is taken for JSON."""
    said = request.headers.get("content-type")
    if said is None or said == "application/json":
        return
    kind = _kind(said)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        hint = "send Content-Type: application/json"
        raise Refused(problem(415, f"The body must be JSON: {hint}, not {kind!r}"))


def require_lines(request: Request) -> None:
    """The same for newline-delimited JSON."""
    said = request.headers.get("content-type")
    if said is not None and (kind := _kind(said)) not in _LINES:
        hint = "send Content-Type: application/x-ndjson"
        raise Refused(problem(415, f"The body must be newline-delimited JSON: {hint}, not {kind!r}"))


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()[:100]
