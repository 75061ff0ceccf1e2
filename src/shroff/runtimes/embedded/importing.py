"""Importing a file into a data folder: through the gateway's own ingest and the worker's own detect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from time import sleep

from shroff.core.errors import Retryable
from shroff.flows.load import Loaded, Rows, load
from shroff.runtimes.embedded.child import WorkerProcess
from shroff.runtimes.embedded.locks import WORKER, held
from shroff.runtimes.wiring import wall_clock
from shroff.runtimes.wiring.embedded import Embedded, import_bookmark

_LOOKS_A_SECOND = 100


def import_rows(rows: Rows, path: Path, mapping: dict[str, str], embedded: Embedded) -> Iterator[Loaded]:
    """Accept every row and have it decided; yields how far it has come.

    A worker of its own decides beside it, unless one already does in this folder.
    """
    with held(embedded.data, WORKER) as free:
        pass
    with WorkerProcess(embedded.data, only_decide=True) if free else nullcontext() as worker:
        yield from load(
            rows,
            embedded.queue,
            import_bookmark(embedded.data, path, mapping),
            currency=embedded.settings.currency,
            clock=wall_clock,
            wait_for_room=lambda: _wait(embedded, worker, embedded.settings.high_water // 2),
        )
        _wait(embedded, worker, 0)


def _wait(embedded: Embedded, worker: WorkerProcess | None, most: int) -> None:
    """Until no more than so many transactions wait for their first attempt."""
    for round_ in count(1):
        if embedded.queue.last() - embedded.store.ledger.position() <= most:
            return
        if worker is not None:
            worker.check()
        elif round_ % _LOOKS_A_SECOND == 0:
            with held(embedded.data, WORKER) as free:
                if free:
                    raise Retryable("the worker stopped; what was accepted is kept, import again to go on")
        sleep(1 / _LOOKS_A_SECOND)
