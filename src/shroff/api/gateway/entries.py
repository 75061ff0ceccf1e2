"""The entry that is in one JSON object: what the wire may say beyond what a transaction may be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NoReturn

from shroff.api.gateway.answers import INVALID_JSON
from shroff.codec import decode_object
from shroff.core.errors import Fault, Rejected
from shroff.flows.ingest import entry_of_members
from shroff.ports import Entry

_SHOWN = 64
"""Members that are named at most, and characters of each name."""


def entry_in(body: bytes, *, currency: str, received_at: int) -> Entry:
    """The entry of one JSON object. Raises Rejected with all faults at once."""
    return entry_of_members(object_in(body), currency=currency, received_at=received_at)


def object_in(body: bytes) -> dict[str, Any]:
    """The members of one JSON object. Raises Rejected where there is none, or it can be read in two ways."""
    members = decode_object(body)
    # An object of plain members has one colon each: more of them are in texts, or hide a repetition.
    if body.count(b":") != len(members):
        _refuse_repetition(body)
    if rb"\u0000" in body:
        _refuse_nul(members)
    return members


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
