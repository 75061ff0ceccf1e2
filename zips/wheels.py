"""Third parties' wheels for Lambda: fetched once by the hashes of the lock, then read where they lie."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from zips import Unpackable
from zips.functions import wanted

PYTHON = "3.11"
PLATFORM = "manylinux2014_x86_64"
"""Lambda's Python 3.11 runs on Amazon Linux 2, with glibc 2.26."""

_ENVIRONMENT = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One third party's package, as it will be unpacked."""

    name: str
    path: Path
    files: tuple[str, ...]
    needs: frozenset[str]
    """The names of the packages that it asks for, extras left out."""

    @property
    def modules(self) -> frozenset[str]:
        """The names that it can be imported by."""
        rooms = (name.split("/")[0] for name in self.files)
        return frozenset(room.removesuffix(".py") for room in rooms if "." not in room.removesuffix(".py"))

    def contents(self) -> Iterable[tuple[str, bytes]]:
        """Every file with its bytes."""
        with ZipFile(self.path) as wheel:
            for name in self.files:
                yield name, wheel.read(name)


def fetch(lock: Path, folder: Path) -> list[Wheel]:
    """The wheels that the lock names, downloaded where the folder has them not yet."""
    pinned = _pinned(lock.read_text("utf-8"))
    found = _found(pinned, folder)
    if missing := sorted(set(pinned) - set(found)):
        _download(lock, folder)
        found = _found(pinned, folder)
    if missing := sorted(set(pinned) - set(found)):
        raise Unpackable(*(f"{folder} has no wheel of {name} with a hash of {lock.name}" for name in missing))
    return [_read(name, found[name]) for name in sorted(found)]


def needed(wheels: Iterable[Wheel], imported: Iterable[str]) -> list[Wheel]:
    """The wheels that these imports lead to, with those that the wheels themselves ask for.

    Raises Unpackable naming every import that no wheel answers.
    """
    by_name = {wheel.name: wheel for wheel in wheels}
    owner = {module: wheel.name for wheel in by_name.values() for module in wheel.modules}
    imported = set(imported)
    if unknown := sorted(imported - set(owner)):
        raise Unpackable(*(f"{each} is imported, but not in requirements-lambda.lock" for each in unknown))
    todo = [owner[module] for module in imported]
    taken: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in taken:
            taken.add(name)
            todo += by_name[name].needs
    return [by_name[name] for name in sorted(taken)]


def _pinned(lock: str) -> dict[str, frozenset[str]]:
    """Each package of a lock with its hashes."""
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)
    parted = ((re.match(r"([\w.-]+)==", entry), entry) for entry in entries)
    return {
        canonicalize_name(name[1]): frozenset(re.findall(r"--hash=sha256:(\w{64})", entry))
        for name, entry in parted
        if name
    }


def _found(pinned: Mapping[str, frozenset[str]], folder: Path) -> dict[str, Path]:
    """The wheel of each package whose bytes are what the lock says: a folder may hold older ones too."""
    found = {}
    for path in sorted(folder.glob("*.whl")):
        name = parse_wheel_filename(path.name)[0]
        if hashlib.sha256(path.read_bytes()).hexdigest() in pinned.get(name, ()):
            found[str(name)] = path
    return found


def _download(lock: Path, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check", "--no-input"]
    what = ["download", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(lock)]
    where = ["--platform", PLATFORM, "--python-version", PYTHON, "--implementation", "cp"]
    subprocess.run([*pip, *what, *where, "--dest", str(folder)], check=True)  # noqa: S603  # our own words


def _read(name: str, path: Path) -> Wheel:
    with ZipFile(path) as wheel:
        names = [each for each in wheel.namelist() if not each.endswith("/")]
        metadata = next(each for each in names if each.endswith(".dist-info/METADATA"))
        asked = Parser().parsestr(wheel.read(metadata).decode("utf-8")).get_all("Requires-Dist", [])
    needs = (Requirement(each) for each in asked)
    return Wheel(
        name=name,
        path=path,
        files=tuple(sorted(each for each in names if wanted(each))),
        needs=frozenset(canonicalize_name(need.name) for need in needs if _applies(need)),
    )


def _applies(need: Requirement) -> bool:
    return need.marker is None or need.marker.evaluate(_ENVIRONMENT)
