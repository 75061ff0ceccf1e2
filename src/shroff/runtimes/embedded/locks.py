"""Locks of a data folder: who serves it, who decides in it. The system frees them when a process dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shroff.core.errors import Fault, Rejected

SERVE, WORKER = "serve.lock", "worker.lock"


@contextmanager
def held(data: Path, name: str) -> Iterator[bool]:
    """Whether the lock could be had; held until the end where it could."""
    try:
        file = (data / name).open("a")
    except OSError as error:
        raise Rejected([Fault("data", f"cannot write in {data}: {error.strerror}")]) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
