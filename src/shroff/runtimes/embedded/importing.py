"""Importing a file into a data folder: through the gateway's own ingest and the worker's own detect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

from shroff.flows.load import Loaded, Rows, load
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.embedded.locks import WORKER, held
from shroff.runtimes.embedded.worker import Worker
from shroff.runtimes.wiring import Embedded, import_bookmark, wall_clock


def import_rows(rows: Rows, path: Path, mapping: dict[str, str], embedded: Embedded) -> Iterator[Loaded]:
    """Accept every row and have it decided; yields how far it has come.

    Decides in this process, unless a worker already does in this folder: then it waits for that one.
    """
    bookmark = import_bookmark(embedded.data, path, mapping)
    with held(embedded.data, WORKER) as alone:
        worker = worker_over(embedded) if alone else None
        progress = load(
            rows,
            embedded.queue,
            bookmark,
            currency=embedded.settings.currency,
            clock=wall_clock,
            wait_for_room=_room(embedded, worker),
        )
        for loaded in progress:
            if worker is not None:
                _drain(worker)
            yield loaded
        if worker is not None:
            _drain(worker)
            worker.snapshot()
        else:
            _wait(embedded, 0)


def _drain(worker: Worker) -> None:
    while worker.step():
        pass


def _room(embedded: Embedded, worker: Worker | None) -> Callable[[], None]:
    def wait() -> None:
        if worker is None:
            _wait(embedded, embedded.settings.high_water // 2)

    return wait


def _wait(embedded: Embedded, most: int) -> None:
    while embedded.queue.last() - embedded.store.ledger.position() > most:
        sleep(0.05)
