"""The published policies in memory."""

from __future__ import annotations

from shroff.adapters.memory.shelves import Shelves
from shroff.ports import Publication


class MemoryPolicies:
    """Every policy that ever was in force; the newest publication is the one that is."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._publications: list[Publication] = []

    def publish(self, version: str, document: str, at: int) -> Publication:
        """Put a policy in force, also one that was in force before."""
        with self._shelves.changing():
            number = len(self._publications) + 1
            made = Publication(number=number, version=version, document=document, published_at=at)
            self._publications.append(made)
            return made

    def active(self) -> Publication | None:
        """The newest publication."""
        return next(reversed(self.history()), None)

    def get(self, version: str) -> Publication | None:
        """The newest publication of a version."""
        return next((each for each in reversed(self.history()) if each.version == version), None)

    def history(self) -> list[Publication]:
        """All publications, the first one first."""
        return self._publications.copy()
