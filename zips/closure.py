"""What a module leads to: every import of every import, those inside functions too."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

from zips import Unpackable
from zips.functions import ABSENT

PACKAGE = "shroff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Our own modules, and the names of the third parties' that these import."""

    modules: frozenset[str]
    imported: frozenset[str]


def closure(*roots: str) -> Closure:
    """What these modules of ours need, whichever of their functions is called."""
    graph = _graph()
    if unknown := sorted(set(roots) - graph.modules):
        raise Unpackable(*(f"there is no module {root}" for root in unknown))
    own: set[str] = set()
    foreign: set[str] = set()
    todo = list(roots)
    while todo:
        module = todo.pop()
        if module.split(".")[0] != PACKAGE:
            foreign.add(module)
        elif module not in own:
            own.add(module)
            # Python runs the packages that a module lies in before the module itself.
            todo += [module.rpartition(".")[0]] if "." in module else []
            todo += graph.find_modules_directly_imported_by(module)
    return Closure(modules=frozenset(own), imported=frozenset(foreign - sys.stdlib_module_names - ABSENT))


def sources(modules: Iterable[str], source: Path) -> Iterable[tuple[str, Path]]:
    """The files of modules with their names in a zip; what lies beside a package's modules goes with it."""
    for module in modules:
        path = source.joinpath(*module.split("."))
        if path.is_dir():
            yield from _named(_data(path), source)
            path /= "__init__"
        yield from _named([path.with_suffix(".py")], source)


def _data(package: Path) -> Iterable[Path]:
    for path in package.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.is_file() and path.suffix not in {".py", ".pyc"}:
            yield path


def _named(paths: Iterable[Path], source: Path) -> Iterable[tuple[str, Path]]:
    return ((path.relative_to(source).as_posix(), path) for path in paths)


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        PACKAGE, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
