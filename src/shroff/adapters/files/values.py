"""What stands in a file as what the wire contract says: exact amounts, seconds, text ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shroff.codec import seconds
from shroff.core.transaction import TEXTS

_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def wire_values(member: str, values: Sequence[Any]) -> list[Any]:
    """One member's values for `core.transaction.parse`; what cannot be read stays as it is."""
    convert = _CONVERT.get(member)
    kinds = set(map(type, values)) - {type(None)}
    if convert is None or (convert is not _text and not kinds & _READ_BY[convert]):
        return list(values)
    if convert is _text and (kinds <= {str} and "" not in values):
        return list(values)
    if convert is _text and kinds == {int} and None not in values:
        return list(map(str, values))
    return list(map(convert, values))


def instant(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 date or time, UTC where it names no zone; else None."""
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def number(text: str) -> Decimal | None:
    """The exact decimal that a text spells, or None."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _text(value: Any) -> Any:
    """Ids that a file keeps as whole numbers are text on the wire."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 40 and value == int(value):
        return str(int(value))
    return value


def _amount(value: Any) -> Any:
    if isinstance(value, float):
        # A binary float holds 15 decimal digits; what stands behind them is noise, as in 85.64999999999999.
        return f"{value:.15g}"
    return value.strip() or None if isinstance(value, str) else value


def _timestamp(value: Any) -> Any:
    return _seconds(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _seconds(text: str) -> Any:
    text = text.strip()
    if not text:
        return None
    exact = number(text)
    if exact is not None:
        return exact
    moment = instant(text)
    return text if moment is None else seconds(moment)


def _coordinate(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    exact = number(text)
    return text or None if exact is None else exact


_CONVERT: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("transaction_id", "currency", *TEXTS), _text),
    "amount": _amount,
    "timestamp": _timestamp,
    "known_at": _timestamp,
    "latitude": _coordinate,
    "longitude": _coordinate,
}
_READ_BY: dict[Callable[[Any], Any], set[type]] = {
    _amount: {str, float},
    _timestamp: {str},
    _coordinate: {str},
}
"""The kinds of value that a conversion changes; a column without them is taken as it is."""
