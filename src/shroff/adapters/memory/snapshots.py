"""The snapshot in memory."""

from __future__ import annotations

from collections.abc import Mapping

from shroff.core.compiled import Array


class MemorySnapshots:
    """Keeps one snapshot, as it was when it was saved."""

    def __init__(self) -> None:
        self._kept: tuple[str, int, dict[str, Array]] | None = None

    def save(self, key: str, seq: int, arrays: Mapping[str, Array]) -> None:
        """Replace the snapshot."""
        self._kept = key, seq, {name: array.copy() for name, array in arrays.items()}

    def load(self, key: str) -> tuple[int, dict[str, Array]] | None:
        """The place and the arrays that were saved under this key, or None."""
        if self._kept is None or self._kept[0] != key:
            return None
        return self._kept[1], {name: array.copy() for name, array in self._kept[2].items()}
