"""A worker over a data folder, in this process."""

from __future__ import annotations

from shroff.runtimes.embedded.worker import Worker, WorkerPorts
from shroff.runtimes.wiring import wall_clock
from shroff.runtimes.wiring.embedded import Embedded


def worker_over(embedded: Embedded) -> Worker:
    """The worker that decides in a data folder; its lock must be held."""
    store, settings = embedded.store, embedded.settings
    ports = WorkerPorts(
        queue=embedded.queue,
        ledger=store.ledger,
        labels=store.labels,
        lists=store.lists,
        policies=store.policies,
        models=store.models,
        snapshots=embedded.snapshots,
        store_changed=store.data_version,
        clock=wall_clock,
    )
    return Worker(
        ports,
        batch=settings.batch,
        retry_delays=settings.retry_delays,
        snapshot_every=settings.snapshot_every,
    )
