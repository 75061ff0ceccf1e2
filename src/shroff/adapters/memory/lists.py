"""Allowlists and blocklists in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shroff.adapters.memory.shelves import Shelves


class MemoryLists:
    """Allowlists and blocklists."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._lists: dict[str, dict[str, int | None]] = {}

    def add(self, name: str, entries: Iterable[tuple[str, int | None]]) -> int:
        """Add (value, expires_at or None); a value added again takes the new expiry.

        Returns how many were given.
        """
        given = list(entries)
        with self._shelves.changing():
            if given:
                self._lists.setdefault(name, {}).update(given)
        return len(given)

    def remove(self, name: str, values: Iterable[str]) -> int:
        """Take values off a list; returns how many were on it."""
        taken = set(values)
        with self._shelves.changing():
            before = self._lists.pop(name, {})
            after = {value: expires_at for value, expires_at in before.items() if value not in taken}
            if after:
                self._lists[name] = after
        return len(before) - len(after)

    def members(self, name: str, values: Sequence[str], now: int) -> set[str]:
        """Those of the values that are on the list and not expired."""
        with self._shelves.lock:
            held = self._lists.get(name, {})
            found = ((value, held[value]) for value in values if value in held)
            return {value for value, expires_at in found if expires_at is None or expires_at > now}

    def entries(self, name: str) -> Iterator[tuple[str, int | None]]:
        """(value, expires_at) by value, expired ones too."""
        with self._shelves.lock:
            held = list(self._lists.get(name, {}).items())
        yield from sorted(held, key=lambda entry: entry[0])

    def counts(self) -> dict[str, int]:
        """Name → entries, expired ones too."""
        with self._shelves.lock:
            return {name: len(held) for name, held in self._lists.items()}
