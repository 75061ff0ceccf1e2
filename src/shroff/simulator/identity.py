"""Identifiers that tell nothing: numbers scrambled by a keyed bijection, and so unique, into hex text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from shroff.simulator.places import Ints

Name = TypeVar("Name")
_MAIL_HOSTS = ("example.com", "example.net", "example.org")


def scramble(numbers: Ints, key: int) -> npt.NDArray[np.uint64]:
    """Map each number to another one of 64 bits, no two to the same (the finaliser of SplitMix64)."""
    x = numbers.astype(np.uint64) + np.uint64(key)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def transaction_ids(key: int, first: int, count: int) -> list[str]:
    """Name the transactions numbered from `first` on."""
    return [f"txn-{x:016x}" for x in scramble(np.arange(first, first + count), key).tolist()]


def customer_ids(numbers: Ints) -> list[str]:
    """Name customers: cust-00042."""
    return _named(numbers, lambda number, _: f"cust-{number:05d}")


def card_ids(numbers: Ints) -> list[str]:
    """Name cards; the name tells nothing of the customer."""
    return _named(numbers, lambda _, mixed: f"card-{mixed >> 16:012x}")


def device_ids(numbers: Ints) -> list[str | None]:
    """Name devices, a fraudster's like anybody's; a negative number is no device."""
    return _named(numbers, lambda number, mixed: f"dev-{mixed >> 16:012x}" if number >= 0 else None)


def emails(numbers: Ints) -> list[str | None]:
    """Name mail addresses; a negative number is none."""
    return _named(
        numbers,
        lambda number, mixed: f"{mixed >> 24:010x}@{_MAIL_HOSTS[mixed % 3]}" if number >= 0 else None,
    )


def ip_texts(numbers: Ints) -> list[str | None]:
    """Write IPv4 addresses with dots; a negative number is none."""
    return _named(
        numbers,
        lambda n, _: f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" if n >= 0 else None,
    )


def _named(numbers: Ints, name: Callable[[int, int], Name]) -> list[Name]:
    """Name each distinct number once: within a day most come many times."""
    distinct, position = np.unique(numbers, return_inverse=True)
    mixed = scramble(distinct, 0).tolist()
    names = [name(number, mix) for number, mix in zip(distinct.tolist(), mixed, strict=True)]
    return [names[at] for at in position.tolist()]
