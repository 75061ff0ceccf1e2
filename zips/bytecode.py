"""Compiled forms of the modules: Lambda keeps none of its own, so each cold start would compile them anew."""

from __future__ import annotations

import importlib.util
import marshal
import sys
import warnings
from collections.abc import Iterable, Mapping
from functools import cache

from zips.wheels import PYTHON

_UNCHECKED_HASH = 0b01
"""PEP 552: neither a time nor a check of the source, which cannot change in a deployed zip."""

_WITHOUT_REFERENCES = 2
"""Marshal's later versions write references by how often an object is used in the process that writes."""


def compiled(files: Mapping[str, bytes]) -> Iterable[tuple[str, bytes]]:
    """The compiled form of every module among files, with its name; none where another Python packs."""
    if not same_python():
        return
    for name in sorted(files):
        if name.endswith(".py"):
            folder, _, module = name.rpartition("/")
            path = f"__pycache__/{module.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
            yield f"{folder}/{path}" if folder else path, _compiled(name, files[name])


def same_python() -> bool:
    """Whether this is the Python that the functions run on: no other can compile for it."""
    return sys.version_info[:2] == tuple(map(int, PYTHON.split(".")))


@cache
def _compiled(name: str, source: bytes) -> bytes:
    with warnings.catch_warnings(action="ignore"):
        code = compile(source, f"/var/task/{name}", "exec", dont_inherit=True)
    flags = _UNCHECKED_HASH.to_bytes(4, "little")
    checksum = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + flags + checksum + marshal.dumps(code, _WITHOUT_REFERENCES)
