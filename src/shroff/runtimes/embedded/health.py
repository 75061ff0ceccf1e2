"""Whether an installation and a data folder are well, check by check."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shroff.core.errors import Rejected, Retryable
from shroff.core.policy_document import read_policy
from shroff.flows.audit import audit
from shroff.runtimes.embedded.locks import SERVE, WORKER, held
from shroff.runtimes.wiring.embedded import QUEUE, STORE, Embedded, open_embedded

_LEAST_FREE = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    well: bool
    finding: str


def examine(data: Path) -> Iterator[Finding]:
    """Look at the installation, then at the folder; writes but one small file, and removes it."""
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    numba = importlib.util.find_spec("numba") is not None
    yield Finding(
        "windows", True, "compiled" if numba else "interpreted: install shroff[speed] to compile them"
    )
    yield Finding("sqlite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version)
    if not (data / STORE).exists():
        yield Finding("data", True, f"{data} holds no data yet")
        return
    yield from _disk(data)
    try:
        embedded = open_embedded(data, create=False)
    except (Rejected, Retryable) as error:
        yield Finding("data", False, str(error))
        return
    try:
        yield from _inside(embedded)
    except (Rejected, Retryable) as error:
        yield Finding("data", False, str(error))
    finally:
        embedded.close()


def _disk(data: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(data).free
    yield Finding("disk", free >= _LEAST_FREE, f"{free / (1 << 30):.1f} GiB free")
    probe = data / ".doctor"
    try:
        with probe.open("wb") as file:
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            took = (time.perf_counter() - started) * 1000
        yield Finding("fsync", True, f"{took:.1f} ms")
    except OSError as error:
        yield Finding("fsync", False, f"cannot write in {data}: {error.strerror}")
    finally:
        probe.unlink(missing_ok=True)


def _inside(embedded: Embedded) -> Iterator[Finding]:
    for name in (QUEUE, STORE):
        yield _file(embedded.data / name)
    for lock, what in ((SERVE, "gateway"), (WORKER, "worker")):
        with held(embedded.data, lock) as free:
            yield Finding(what, True, "not running" if free else "running")
    active = embedded.store.policies.active()
    if active is None:
        yield Finding("policy", False, "none is published")
    else:
        policy = read_policy(active.document)
        yield Finding("policy", True, f"{policy.name} {policy.version}, {len(policy.rules)} rules")
    found = audit(embedded.queue, embedded.store.ledger)
    counts = f"{found.accepted} accepted, {found.decided} decided, {found.in_flight} in flight"
    yield Finding("audit", found.clean, counts if found.clean else f"{counts}, {len(found.missing)} MISSING")
    yield Finding("dead letters", True, str(found.dead_lettered))


def _file(path: Path) -> Finding:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    connection.close()
    return Finding(path.name, found == "ok", f"{found}, {path.stat().st_size / (1 << 20):.1f} MiB")
