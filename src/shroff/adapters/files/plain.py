"""What goes wrong with files, in plain sentences, and files that are replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shroff.core.errors import Fault, Rejected


def fault(path: Path, problem: str) -> Rejected:
    """The error that names a file and says what is wrong with it."""
    return Rejected([Fault(str(path), f"{path}: {problem}")])


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system says about a file into Rejected with one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise fault(path, "no such file") from None
    except IsADirectoryError:
        raise fault(path, "is a folder, not a file") from None
    except PermissionError:
        raise fault(path, "permission denied") from None
    except OSError as error:
        raise fault(path, (error.strerror or str(error)).lower()) from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to: it takes the place of `path` when all went well, else it is gone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield draft
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            draft.replace(path)
    finally:
        with suppress(OSError):  # what went wrong with the file is told already
            draft.unlink()
