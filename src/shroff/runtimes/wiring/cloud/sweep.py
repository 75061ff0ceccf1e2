"""What the batch-processor asks of its stack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from shroff.runtimes.lambdas.learning import Learner
from shroff.runtimes.lambdas.looking_back import LookBack, LookingPorts
from shroff.runtimes.wiring.cloud import Deployed
from shroff.runtimes.wiring.cloud.deciding import decider, teller

_LOOKED_AT = 5_000
"""Messages of the dead-letter queue that one run looks at: all else has to be done besides."""


def look_back(deployed: Deployed) -> LookBack:
    """What runs every five minutes."""
    store = deployed.store

    def send_again(transaction_ids: Sequence[str]) -> None:
        found = store.cloud.pool.map(store.queue.find, transaction_ids)
        store.queue.send([message for message in found if message is not None])

    policy = decider(deployed).policy
    learner = Learner(store.labels, store.entities, policy, deployed.clock, time.sleep, deployed.meter)
    ports = LookingPorts(
        find_dead=partial(store.dead_letters.find, _LOOKED_AT),
        queue=store.queue,
        ledger=store.ledger,
        archive=store.archive,
        chunks=store.chunks,
        marks=store.marks,
        alerts=store.alerts,
        untold=store.alerts.untold,
        tell=teller(deployed).tell,
        send=send_again,
        policy=policy,
        schedule=store.schedule,
        learn=learner.learn,
        clock=deployed.clock,
    )
    return LookBack(ports, sweep_delay=deployed.settings.sweep_delay * 1_000, meter=deployed.meter)
