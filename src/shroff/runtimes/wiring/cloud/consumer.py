"""What the queue-consumer asks of its stack."""

from __future__ import annotations

import random
from collections.abc import Sequence

from shroff.ports import Message
from shroff.runtimes.lambdas.deliveries import Consumer, ConsumerPorts
from shroff.runtimes.wiring.cloud import Deployed
from shroff.runtimes.wiring.cloud.deciding import decider

_PUT_BACK = (1, 5)
"""Seconds, between which a message that met others is put back for a while of its own."""


def consumer(deployed: Deployed) -> Consumer:
    """What decides the queue's messages."""
    store = deployed.store

    def put_back(messages: Sequence[Message]) -> None:
        store.queue.send(messages, delay=random.randint(*_PUT_BACK))  # noqa: S311  # no secret

    ports = ConsumerPorts(
        read=store.queue.deliveries, failing=store.dead_letters, put_back=put_back, clock=deployed.clock
    )
    most = deployed.settings.max_receives
    return Consumer(decider(deployed), ports, max_receives=most, meter=deployed.meter)
