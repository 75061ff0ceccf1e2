"""The four functions: what each is for, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

API_TIMEOUT = 29
"""As long as API Gateway waits."""
CONSUMER_TIMEOUT = 30
"""Shorter than the sweep's delay, so that a window is sealed after all that was being decided."""
LONGEST = 900
"""The longest run that Lambda allows; work that needs more is split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A function as the program makes it."""

    name: str
    handler: str
    timeout: int
    slow: int
    """Seconds from which on a run is so near the timeout that somebody should know."""
    what: str
    storage: bool = False
    """Whether its scratch disk is configured."""
    again: bool = True
    """Whether it hands work to itself, by the queue or by an invocation."""


API = Shape(
    name="api-handler",
    handler="shroff.runtimes.lambdas.api.handler",
    timeout=API_TIMEOUT,
    slow=23,
    what="Answers the API: makes transactions durable, decides at once where asked",
    again=False,
)
CONSUMER = Shape(
    name="queue-consumer",
    handler="shroff.runtimes.lambdas.consumer.handler",
    timeout=CONSUMER_TIMEOUT,
    slow=24,
    what="Decides transactions from the queue",
)
# Both hand what is left to a next run when a minute is left: up to then a long run is as it should be.
SWEEP = Shape(
    name="batch-processor",
    handler="shroff.runtimes.lambdas.sweep.handler",
    timeout=LONGEST,
    slow=870,
    what="Audits, seals windows into chunks and looks back over them",
)
REPORT = Shape(
    name="report-generator",
    handler="shroff.runtimes.lambdas.report.handler",
    timeout=LONGEST,
    slow=870,
    what="Writes the report of the day before",
    storage=True,
)
SHAPES = (API, CONSUMER, SWEEP, REPORT)
