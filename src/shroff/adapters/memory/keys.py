"""The API keys in memory."""

from __future__ import annotations

from msgspec.structs import replace

from shroff.adapters.memory.shelves import Shelves
from shroff.ports import Key


class MemoryKeys:
    """The keys of those who may call; only digests of their secrets."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._keys: dict[str, Key] = {}

    def add(self, key: Key) -> None:
        """Keep a key. Raises ValueError where its key_id is taken."""
        with self._shelves.changing():
            if key.key_id in self._keys:
                raise ValueError(f"there is a key {key.key_id}")
            self._keys[key.key_id] = key

    def revoke(self, key_id: str) -> bool:
        """Refuse a key from now on; False where there is none, or it was revoked before."""
        with self._shelves.changing():
            key = self._keys.get(key_id)
            if key is None or key.revoked:
                return False
            self._keys[key_id] = replace(key, revoked=True)
            return True

    def all(self) -> list[Key]:
        """Oldest first, revoked ones too."""
        with self._shelves.lock:
            return sorted(self._keys.values(), key=lambda key: (key.created_at, key.key_id))
