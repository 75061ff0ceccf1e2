"""Allowlists and blocklists in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from shroff.adapters.aws.shelf import Item, Shelf, key
from shroff.core.errors import Fault, Rejected

_CHUNK = 1_000
_REGISTRY = "lists"
_LONGEST = 1_024
"""Bytes of a range key; the longest value that a transaction can have fits."""


class AwsLists:
    """Allowlists and blocklists, an item a value; a registry knows their names."""

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def add(self, name: str, entries: Iterable[tuple[str, int | None]]) -> int:
        """Add (value, expires_at or None); a value added again takes the new expiry.

        Returns how many were given. After a failure some are kept, and adding all of them again completes
        the list.
        """
        added, rest = 0, iter(entries)
        while chunk := list(islice(rest, _CHUNK)):
            if not added:
                self._register(name)
            self._shelf.write([{"PutRequest": {"Item": _item(name, *each)}} for each in dict(chunk).items()])
            added += len(chunk)
        return added

    def remove(self, name: str, values: Iterable[str]) -> int:
        """Take values off a list; returns how many were on it."""
        removed, rest = 0, iter(values)
        while chunk := list(islice(rest, _CHUNK)):
            there = [_key(item) for item in self._pick(name, chunk)]
            self._shelf.write([{"DeleteRequest": {"Key": each}} for each in there])
            removed += len(there)
        return removed

    def members(self, name: str, values: Sequence[str], now: int) -> set[str]:
        """Those of the values that are on the list and not expired.

        What was added or removed in the last second may not be seen yet: every decision asks, and a read
        that sees all costs twice as much.
        """
        found = map(_entry, self._pick(name, values, consistent=False))
        return {value for value, expires_at in found if expires_at is None or expires_at > now}

    def entries(self, name: str) -> Iterator[tuple[str, int | None]]:
        """(value, expires_at) by value, expired ones too."""
        yield from map(_entry, self._shelf.under(_pk(name)))

    def counts(self) -> dict[str, int]:
        """Name → entries, expired ones too; counted, as no number beside the list could be trusted."""
        names = [item["sk"]["S"] for item in self._shelf.under(_REGISTRY)]
        counted = {name: self._shelf.count(_pk(name)) for name in names}
        return {name: entries for name, entries in counted.items() if entries}

    def _register(self, name: str) -> None:
        self._shelf.write([{"PutRequest": {"Item": key(_REGISTRY, name)}}])

    def _pick(self, name: str, values: Iterable[str], *, consistent: bool = True) -> Iterator[Item]:
        """The items of those values that can be and are on the list, each once."""
        wanted = [sk for sk in map(_sk, dict.fromkeys(values)) if len(sk.encode()) <= _LONGEST]
        return self._shelf.pick([key(_pk(name), sk) for sk in wanted], consistent=consistent)


def _pk(name: str) -> str:
    return f"list#{name}"


def _sk(value: str) -> str:
    """A value as a range key, which may not be empty; the order stays that of the values."""
    return "\0" + value if value[:1] in {"", "\0"} else value


def _item(name: str, value: str, expires_at: int | None) -> Item:
    sk = _sk(value)
    if len(sk.encode()) > _LONGEST:
        raise Rejected([Fault("value", f"{value[:40]}… is longer than any value of a transaction")])
    return key(_pk(name), sk) | ({} if expires_at is None else {"expires": {"N": str(expires_at)}})


def _key(item: Item) -> Item:
    return key(item["pk"]["S"], item["sk"]["S"])


def _entry(item: Item) -> tuple[str, int | None]:
    expires = item.get("expires")
    return item["sk"]["S"].removeprefix("\0"), None if expires is None else int(expires["N"])
