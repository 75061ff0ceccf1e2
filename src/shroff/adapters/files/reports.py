"""Daily reports as files: FOLDER/YYYY-MM-DD/NAME."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class FileReports:
    """Answers Reports with a folder a day; a reader meets an old file or a new one, never half of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: tuple[Path, int, bytes] | None = None

    def write(self, date: str, files: Mapping[str, Iterable[bytes]]) -> list[str]:
        """Write all files aside, each safe on disk, then put them in place."""
        if not _DATE.fullmatch(date) or not all(map(_NAME.fullmatch, files)):
            raise ValueError(f"not the name of a report: {date} {', '.join(files)}")
        folder = self._folder / date
        folder.mkdir(parents=True, exist_ok=True)
        aside = {folder / name: folder / f".{name}.{token_hex(8)}.part" for name in files}
        try:
            for temporary, parts in zip(aside.values(), files.values(), strict=True):
                _write(temporary, parts)
            for place, temporary in aside.items():
                temporary.replace(place)
        finally:
            for temporary in aside.values():
                temporary.unlink(missing_ok=True)
        _keep_names(folder)
        return [str(place) for place in aside]

    def read(self, date: str, name: str) -> bytes | None:
        """A file of one day; None where there is none."""
        if not _DATE.fullmatch(date) or not _NAME.fullmatch(name):
            raise ValueError(f"not the name of a report: {date} {name}")
        try:
            return (self._folder / date / name).read_bytes()
        except FileNotFoundError:
            return None

    def newest(self, name: str) -> bytes | None:
        """A file of the latest day that has it, read again only where it changed; None where none has."""
        days = (each.name for each in self._folder.glob("*-*-*") if _DATE.fullmatch(each.name))
        for day in sorted(days, reverse=True):
            place = self._folder / day / name
            try:
                written = place.stat().st_mtime_ns
                if self._newest is None or self._newest[:2] != (place, written):
                    self._newest = place, written, place.read_bytes()
            except FileNotFoundError:
                continue
            return self._newest[2]
        return None


def _write(path: Path, parts: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def _keep_names(folder: Path) -> None:
    """Make the renaming itself durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
