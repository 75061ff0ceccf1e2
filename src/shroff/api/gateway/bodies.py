"""Request bodies as Granian hands them over: read within their limits of size and time."""

from __future__ import annotations

import asyncio
from time import monotonic

from shroff.api.gateway.answers import TOO_SLOW, Refused, too_large
from shroff.api.gateway.headers import Headers
from shroff.api.gateway.rsgi import HTTPProtocol

_DRAINED = 32 * 1024 * 1024
"""Bytes of a too large body that are read away, so that the client gets to read its answer."""
_BYTES_PER_SECOND = 256 * 1024


class Bodies:
    """Reads bodies, and gives up on those that do not come: a stop would wait for them.

    One look a second at all who read costs a tenth of what a timer for each request would.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._readers: dict[asyncio.Task[object], float] = {}

    async def read(self, proto: HTTPProtocol, headers: Headers, most: int) -> bytes:
        """The whole body. Refuses more than `most` bytes with 413, and what does not come with 408."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a body is read within a task")
        declared = headers.get("content-length")
        length = most if declared is None else int(declared)
        self._readers[task] = monotonic() + self._patience + min(length, _DRAINED) / _BYTES_PER_SECOND
        try:
            return await _read(proto, None if declared is None else length, most)
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
        raise Refused(too_large(most))
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
        raise Refused(too_large(most))
    return b"".join(chunks)


async def _drain(proto: HTTPProtocol) -> None:
    async for _ in proto:
        pass
