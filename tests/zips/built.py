"""Makes zips as a machine that knows nothing of this one would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / "var/wheels"

PARTS = ("src", "zips", "requirements-lambda.lock")
"""All that the bytes of a zip may depend on."""


def copied(root: Path, folder: Path) -> Path:
    """A copy of what zips are made of."""
    for part in PARTS:
        origin = root / part
        if origin.is_dir():
            shutil.copytree(origin, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, folder / part)
    return folder


def touched(root: Path) -> Path:
    """The same folder, its modules with other times and modes."""
    for path in (root / "src").rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (1, 1))
    return root


def pack(root: Path, to: Path, *functions: str, umask: int = 0o022, **environment: str) -> None:
    """Run `python -m zips` of a folder of code."""
    subprocess.run(
        [sys.executable, "-m", "zips", "--to", str(to), "--wheels", str(WHEELS), *functions],
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}", **environment},
        cwd=root,
        umask=umask,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def unpacked(dist: Path, function: str) -> Path:
    """The folder of a zip's files, unpacked once."""
    folder = dist / function
    if not folder.exists():
        with ZipFile(dist / f"{function}.zip") as archive:
            archive.extractall(folder)
    return folder
