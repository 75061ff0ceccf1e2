"""queue-consumer: a batch of the queue's records in, the ids of those that must come again out."""

from __future__ import annotations

from functools import cache
from typing import Any

from shroff.runtimes.lambdas.deliveries import Consumer
from shroff.runtimes.lambdas.invocation import Context, invocation
from shroff.runtimes.wiring.cloud import Deployed, open_deployed
from shroff.runtimes.wiring.cloud.consumer import consumer

_NEEDS = ("transactions_table", "state_table", "queue_url", "dlq_url", "alerts_topic")
_READ_TIMEOUT = 3
"""Seconds; two attempts of a call fit into what a decider keeps in reserve."""


@cache
def _opened() -> tuple[Deployed, Consumer]:
    """Once per cold start, and again after one that failed."""
    deployed = open_deployed(*_NEEDS, read_timeout=_READ_TIMEOUT)
    return deployed, consumer(deployed)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Decide one batch. Raises where none of it could be: then all of it comes again."""
    deployed, opened = _opened()
    with invocation(context, deployed.meter):
        again = opened.consume(event["Records"], context.get_remaining_time_in_millis)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}
