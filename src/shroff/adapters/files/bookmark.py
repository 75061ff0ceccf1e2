"""How far an import has come, and what it refused: two small files that survive the process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from shroff.adapters.files.plain import fault, replaced, told
from shroff.core.errors import Fault

Reject = tuple[int, tuple[Fault, ...], Any]
"""Line, what is wrong with it, and the row as the file has it."""


class Bookmark:
    """One import of one file, known by its path, size, time of change and mapping."""

    def __init__(self, folder: Path, path: Path, mapping: Mapping[str, str]) -> None:
        with told(path):
            state = path.stat()
        what = [str(path.resolve()), state.st_size, state.st_mtime_ns, sorted(mapping.items())]
        key = blake2b(json.dumps(what).encode(), digest_size=6).hexdigest()
        self._place_file = folder / f"{path.name}-{key}.json"
        self.rejects = folder / f"{path.name}-{key}.rejects.ndjson"
        """Made with the first reject; each line is {"line", "faults", "row"}."""
        self._rejected: set[int] | None = None

    def place(self) -> int:
        """Where to go on; 0 is the beginning."""
        try:
            place = json.loads(self._place_file.read_bytes())["place"]
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ):  # no import yet, or one that lost its power: ids repeat well
            return 0
        return place if isinstance(place, int) and place > 0 else 0

    def move(self, place: int, rejects: Iterable[Reject]) -> None:
        """Keep the rejects, then the place; what a crash between the two repeats is not kept twice."""
        self._keep(rejects)
        with replaced(self._place_file) as draft:
            draft.write_bytes(json.dumps({"place": place}).encode())

    def forget(self) -> None:
        """Begin from the first row next time."""
        with told(self._place_file):
            self._place_file.unlink(missing_ok=True)

    def _keep(self, rejects: Iterable[Reject]) -> None:
        fresh = [reject for reject in rejects if reject[0] not in self._known()]
        if not fresh:
            return
        with told(self.rejects):
            self.rejects.parent.mkdir(parents=True, exist_ok=True)
            with self.rejects.open("ab") as file:
                file.writelines(_line(*reject) for reject in fresh)
        self._known().update(line for line, _, _ in fresh)

    def _known(self) -> set[int]:
        """Lines that are in the rejects file; one that a crash cut off is removed from it."""
        if self._rejected is None:
            self._rejected = set()
            if self.rejects.exists():
                with told(self.rejects):
                    self._rejected.update(_read(self.rejects))
        return self._rejected


def _read(rejects: Path) -> Iterable[int]:
    whole = 0
    with rejects.open("rb+") as file:
        for text in file:
            if not text.endswith(b"\n"):
                break
            try:
                yield json.loads(text)["line"]
            except (ValueError, KeyError, TypeError):
                raise fault(rejects, "is not a rejects file; move it away") from None
            whole += len(text)
        file.truncate(whole)


def _line(line: int, faults: Iterable[Fault], row: Any) -> bytes:
    told_faults = [{"field": fault.field, "problem": fault.problem} for fault in faults]
    return msgspec.json.encode({"line": line, "faults": told_faults, "row": row}, enc_hook=str) + b"\n"
