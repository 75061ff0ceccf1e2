from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from shroff.adapters.files.chunks import Chunk
from shroff.adapters.files.readers import open_rows
from shroff.core.errors import Rejected

Write = Callable[[str, str | bytes], Path]
Read = Callable[..., list[Any]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a text or bytes into a file of that name."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def rows_of() -> Read:
    """All rows of a file, whatever the chunks."""

    def read(path: Path, mapping: Mapping[str, str] | None = None, **options: Any) -> list[Any]:
        return [row for chunk in chunks(path, mapping, **options) for row in chunk.rows]

    return read


def chunks(path: Path, mapping: Mapping[str, str] | None = None, **options: Any) -> list[Chunk]:
    return list(open_rows(path, mapping or {}).chunks(**options))


def ids_of(found: list[Chunk]) -> list[Any]:
    rows: list[Any] = [row for chunk in found for row in chunk.rows]
    return [row["transaction_id"] for row in rows]


def problem(path: Path, mapping: Mapping[str, str] | None = None) -> str:
    """What a person is told who opens and reads this file."""
    with pytest.raises(Rejected) as raised:
        chunks(path, mapping)
    return str(raised.value)
