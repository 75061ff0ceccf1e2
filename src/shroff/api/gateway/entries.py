"""Request bodies: how one is read from the wire within its limit, and the entry that is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NoReturn

from shroff.api.gateway.answers import INVALID_JSON, Answer, Refused, problem
from shroff.api.gateway.request import Request
from shroff.api.gateway.rsgi import HTTPProtocol
from shroff.codec import decode_object
from shroff.core.errors import Fault, Rejected
from shroff.flows.ingest import entry_of_members
from shroff.ports import Entry

_DRAINED = 32 * 1024 * 1024
"""Bytes of a too large body that are read away, so that the client gets to read its answer."""
_SHOWN = 64
"""Members that are named at most, and characters of each name."""
_LINES = frozenset(f"application/{kind}" for kind in ("x-ndjson", "ndjson", "jsonlines", "json"))


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Refuses one of more than `most` bytes with 413, without keeping it."""
    declared = request.headers.get("content-length")
    if declared is None:
        return await _gather(request.proto, most)
    if int(declared) > most:
        if int(declared) <= _DRAINED:
            await _drain(request.proto)
        raise Refused(_too_large(most))
    return await request.proto()


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


def entry_in(body: bytes, *, currency: str, received_at: int) -> Entry:
    """The entry of one JSON object. Raises Rejected with all faults at once."""
    members = decode_object(body)
    # An object of plain members has one colon each: more of them are in texts, or hide a repetition.
    if body.count(b":") != len(members):
        _refuse_repetition(body)
    if rb"\u0000" in body:
        _refuse_nul(members)
    return entry_of_members(members, currency=currency, received_at=received_at)


def _refuse_repetition(body: bytes) -> None:
    """Two programs may read an object with a repeated member differently, and both be right."""
    try:
        pairs = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Rejected([Fault("body", INVALID_JSON)]) from None
    times = Counter(name for name, _ in pairs)
    if len(times) < len(pairs):
        _refuse((name for name, count in times.items() if count > 1), "{} is there more than once")


def _refuse_nul(members: Mapping[str, Any]) -> None:
    """Much of what reads texts later ends them at a NUL."""
    named = [name for name, value in members.items() if "\0" in name or _has_nul(value)]
    if named:
        _refuse(named, "{} must not contain a NUL character")


def _has_nul(value: object) -> bool:
    return isinstance(value, str) and "\0" in value


def _refuse(names: Iterable[str], text: str) -> NoReturn:
    shown = [name.replace("\0", "\ufffd")[:_SHOWN] for name in islice(names, _SHOWN)]
    raise Rejected([Fault(name, text.format(name)) for name in shown])
