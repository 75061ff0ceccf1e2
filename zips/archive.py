"""A zip whose bytes depend on nothing but names and contents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from zips import Unpackable

ZIPPED = 60_000_000
UNZIPPED = 250_000_000
"""Lambda takes 250 MB unpacked; 50 MB and more packed must come from a bucket, and start slower."""


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip in one step: a reader never meets half of one. Raises Unpackable past a limit."""
    _limit(path, sum(map(len, files.values())), UNZIPPED, "unzipped")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    try:
        with ZipFile(draft, "w", ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(files):
                archive.writestr(_entry(name), files[name])
        _limit(path, draft.stat().st_size, ZIPPED, "zipped")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # Unix: else the system that packs would be in the bytes
    entry.external_attr = (0o100755 if ".so" in Path(name).suffixes else 0o100644) << 16
    return entry


def _limit(path: Path, size: int, limit: int, how: str) -> None:
    if size > limit:
        raise Unpackable(f"{path.name} is {size / 1e6:.1f} MB {how}: the limit is {limit / 1e6:.0f} MB")
