"""The newest snapshot of the entities' state, as one file of plain arrays."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shroff.core.errors import Retryable

_FORMAT = "2"
"""Changed whenever the arrays change their meaning; a snapshot of another format is not read."""


class FileSnapshots:
    """Keeps one snapshot; a damaged or foreign file counts as none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, key: str, seq: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write beside the old snapshot, then take its place: a crash leaves one of the two."""
        beside = self.path.with_suffix(".writing")
        everything: dict[str, Any] = {**arrays, "#key": _digest(key), "#seq": np.array(seq)}
        try:
            with beside.open("wb") as file:
                np.savez(file, **everything)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as error:
            beside.unlink(missing_ok=True)  # half a snapshot may hold the very space that the store needs
            raise Retryable(f"{self.path}: {error.strerror}") from error

    def load(self, key: str) -> tuple[int, dict[str, NDArray[Any]]] | None:
        """The place and the arrays that were saved under this key, or None."""
        try:
            with self.path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                if not np.array_equal(file["#key"], _digest(key)):
                    return None
                return int(file["#seq"]), {
                    name: file[name] for name in file.files if not name.startswith("#")
                }
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def _digest(key: str) -> NDArray[Any]:
    return np.frombuffer(sha256(f"{_FORMAT} {key}".encode()).digest(), np.uint8)
