"""How values become bytes and come back: canonical JSON, the same in every adapter."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from shroff.core.alert import Alert
from shroff.core.decision import Decision
from shroff.core.errors import Damaged, Fault, Rejected
from shroff.core.money import to_text
from shroff.core.packing import pack, unpack
from shroff.core.parts import EntityPart
from shroff.core.reasons import Reason
from shroff.core.transaction import TEXTS, Transaction

_transaction = msgspec.json.Decoder(Transaction)
_reasons = msgspec.json.Decoder(tuple[Reason, ...])
_object = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_encoder = msgspec.json.Encoder()
_PART, _DEFLATED = 1, 2  # the first byte of a part: which version of which form
_LEVEL = 1  # higher ones are slower and hardly smaller


def encode_transaction(transaction: Transaction) -> bytes:
    """Canonical JSON: equal transactions give equal bytes. Absent members are left out."""
    return _encoder.encode(transaction)


def decode_transaction(body: bytes) -> Transaction:
    """The transaction of canonical JSON. Raises Rejected for anything else."""
    try:
        return _transaction.decode(body)
    except msgspec.DecodeError as error:
        raise Rejected([Fault("body", f"not a stored transaction: {error}")]) from None


def decode_object(body: bytes) -> dict[str, Any]:
    """The members of a JSON object, decimals kept exact. Raises Rejected with the contract's sentence."""
    try:
        return _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        raise Rejected([Fault("body", "Invalid JSON in request body")]) from None


def wire_members(transaction: Transaction) -> dict[str, Any]:
    """A transaction as the members that a client would post."""
    members: dict[str, Any] = {
        "transaction_id": transaction.transaction_id,
        "amount": to_text(transaction.amount_minor, transaction.currency),
        "currency": transaction.currency,
        "timestamp": seconds(transaction.occurred_at),
    }
    for name in (*TEXTS, "latitude", "longitude"):
        value = getattr(transaction, name)
        if value is not None:
            members[name] = value
    return members | (transaction.attributes or {})


def encode_reasons(reasons: tuple[Reason, ...]) -> bytes:
    """Compact JSON of a decision's reasons."""
    return _encoder.encode(reasons)


def decode_reasons(reasons: bytes) -> tuple[Reason, ...]:
    """The reasons again."""
    return _reasons.decode(reasons)


def decision_members(decision: Decision, snapshot_names: tuple[str, ...]) -> dict[str, Any]:
    """A decision as its JSON members; a missing feature is null."""
    return {
        "transaction_id": decision.transaction_id,
        "outcome": decision.outcome,
        "score": decision.score,
        "reasons": msgspec.to_builtins(decision.reasons),
        "features": snapshot_members(decision.snapshot, snapshot_names),
        "policy_version": decision.policy_version,
        "decided_at": instant(decision.decided_at),
    }


def snapshot_members(snapshot: bytes, names: tuple[str, ...]) -> dict[str, float | bool | None]:
    """A stored snapshot by the names of its columns; a list's column is whether it was hit."""
    values = np.frombuffer(snapshot, "<f8").tolist()
    return {
        name: bool(value) if name.startswith("list.") else None if math.isnan(value) else value
        for name, value in zip(names, values, strict=True)
    }


def alert_members(alert: Alert) -> dict[str, Any]:
    """An alert as its JSON members, instants as text."""
    members: dict[str, Any] = msgspec.to_builtins(alert)
    return members | {"occurred_at": instant(alert.occurred_at), "raised_at": instant(alert.raised_at)}


def encode_part(part: EntityPart) -> bytes:
    """What is remembered of an entity: equal parts give equal bytes."""
    packed, form = pack(part), _PART
    deflated = zlib.compress(packed, _LEVEL, -zlib.MAX_WBITS)
    if len(deflated) < len(packed):
        packed, form = deflated, _DEFLATED
    return struct.pack("<BI", form, zlib.crc32(packed)) + packed


def decode_part(data: bytes) -> EntityPart:
    """What is remembered of an entity again. Raises Damaged."""
    try:
        form, checksum = struct.unpack_from("<BI", data)
        packed = data[5:]
        if form not in {_PART, _DEFLATED} or zlib.crc32(packed) != checksum:
            raise ValueError
        return unpack(zlib.decompress(packed, -zlib.MAX_WBITS) if form == _DEFLATED else packed)
    except (ValueError, IndexError, struct.error, zlib.error):
        raise Damaged([Fault("state", "what is remembered of an entity cannot be read")]) from None


def encode(value: Any) -> bytes:
    """Compact JSON of plain values."""
    return _encoder.encode(value)


def pretty(value: Mapping[str, Any]) -> str:
    """Indented JSON of plain values, for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def seconds(milliseconds: int) -> int | float:
    """The wire's timestamp: whole seconds as an integer, else with decimals."""
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


def instant(milliseconds: int) -> str:
    """An ISO 8601 UTC instant at millisecond precision, ending in Z."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
