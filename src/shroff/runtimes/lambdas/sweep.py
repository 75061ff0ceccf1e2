"""batch-processor: tells, audits, seals and sweeps by the clock; what is left goes to the next run."""

from __future__ import annotations

from functools import cache
from typing import Any

import structlog

from shroff.runtimes.lambdas.invocation import Context, invocation
from shroff.runtimes.lambdas.looking_back import LookBack
from shroff.runtimes.wiring.cloud import Deployed, open_deployed
from shroff.runtimes.wiring.cloud.sweep import look_back

log = structlog.get_logger()

_RESERVE = 60_000
"""Milliseconds before the end from which on nothing further begins."""

_NEEDS = ("transactions_table", "state_table", "queue_url", "dlq_url", "bucket", "alerts_topic")


@cache
def _opened() -> tuple[Deployed, LookBack]:
    """Once per cold start, and again after one that failed."""
    deployed = open_deployed(*_NEEDS)
    return deployed, look_back(deployed)


def handler(_event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do all that is due; where time runs out, have this function invoked again."""
    deployed, opened = _opened()
    with invocation(context, deployed.meter):
        done = opened.run(lambda: context.get_remaining_time_in_millis() > _RESERVE)
        if not done:
            log.info("continued")
            deployed.invoke(context.invoked_function_arn, {"continue": True})
    return {"done": done}
