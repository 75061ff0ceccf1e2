"""api-handler: a request of API Gateway in, the gateway's answer out."""

from __future__ import annotations

from functools import cache
from typing import Any

from shroff.runtimes.lambdas.answering import Api
from shroff.runtimes.lambdas.invocation import Context, invocation
from shroff.runtimes.wiring.cloud import Deployed, open_deployed
from shroff.runtimes.wiring.cloud.api import api

_NEEDS = ("transactions_table", "state_table", "queue_url", "alerts_topic")
_READ_TIMEOUT = 5
"""Seconds; two calls that are slow twice end before the client is sent away."""


@cache
def _opened() -> tuple[Deployed, Api]:
    """Once per cold start, and again after one that failed."""
    deployed = open_deployed(*_NEEDS, read_timeout=_READ_TIMEOUT)
    return deployed, api(deployed)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answer one event of a REST API's proxy integration."""
    deployed, opened = _opened()
    with invocation(context, deployed.meter):
        return opened.answer(event)
