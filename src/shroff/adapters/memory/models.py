"""The registry of models in memory."""

from __future__ import annotations

from msgspec.structs import replace

from shroff.adapters.memory.shelves import Shelves
from shroff.ports import Registration


class MemoryModels:
    """The models that policies may name; none is ever removed."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._registered: dict[str, Registration] = {}
        self._documents: dict[str, bytes] = {}

    def add(self, version: str, name: str, document: bytes, at: int) -> Registration:
        """Keep a model. One that is there stays as it is, and is no longer retired."""
        with self._shelves.changing():
            known = self._registered.get(version)
            made = (
                Registration(version=version, name=name, added_at=at)
                if known is None
                else replace(known, retired_at=None)
            )
            self._registered[version] = made
            self._documents.setdefault(version, document)
            return made

    def document(self, version: str) -> bytes | None:
        """The document of a version, retired or not."""
        return self._documents.get(version)

    def all(self) -> list[Registration]:
        """Oldest first; those of one moment by their version."""
        return sorted(self._registered.values(), key=lambda each: (each.added_at, each.version))

    def retire(self, version: str, at: int) -> bool:
        """False where there is no such model, or it was retired before."""
        with self._shelves.changing():
            known = self._registered.get(version)
            if known is None or known.retired_at is not None:
                return False
            self._registered[version] = replace(known, retired_at=at)
            return True
