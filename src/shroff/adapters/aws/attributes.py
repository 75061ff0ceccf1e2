"""Values as DynamoDB's attributes, and expressions over attributes without a word that is reserved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import copysign
from typing import Any

Attribute = dict[str, Any]
Item = dict[str, Attribute]

_SMALLEST, _LARGEST = 1e-130, 9.99e125


def text(value: str) -> Attribute:
    """A string."""
    return {"S": value}


def number(value: float) -> Attribute:
    """A number, exactly as it is; the nearest to it where DynamoDB has none so large or so small."""
    if abs(value) > _LARGEST:
        value = copysign(_LARGEST, value)
    elif 0 < abs(value) < _SMALLEST:
        value = 0.0
    return {"N": repr(value)}


def data(value: bytes) -> Attribute:
    """Bytes."""
    return {"B": value}


def integer(item: Mapping[str, Attribute], name: str, default: int = 0) -> int:
    """A whole number of an item, or the default where it has none."""
    attribute = item.get(name)
    return default if attribute is None else int(attribute["N"])


def placeholders(names: Iterable[str]) -> dict[str, str]:
    """A placeholder for each name: many a plain word is reserved."""
    return {f"#{name}": name for name in names}


def values_of(values: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """A placeholder for each value."""
    return {f":{name}": value for name, value in values.items()}


def size_of(attributes: Mapping[str, Attribute]) -> int:
    """About how many bytes DynamoDB counts for attributes, rather too many than too few."""
    return sum(len(name.encode()) + _size(value) for name, value in attributes.items())


def _size(attribute: Attribute) -> int:
    ((_, value),) = attribute.items()
    return len(value) if isinstance(value, bytes) else 3 + len(str(value).encode())
