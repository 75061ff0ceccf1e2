"""One invocation of a function: its logs carry its request's id, its metrics are written at its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from shroff.runtimes.lambdas.meter import Meter
from shroff.runtimes.logs import configure_logs


class Context(Protocol):
    """What Lambda tells of an invocation, as far as it is asked."""

    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended by force."""


def begin_logs(level: str) -> None:
    """Set logging up, once per cold start."""
    configure_logs(logging.getLevelNamesMapping()[level])


@contextmanager
def invocation(context: Context, meter: Meter) -> Iterator[None]:
    """Whatever is logged within names the request; what was counted is written however it ends."""
    with structlog.contextvars.bound_contextvars(request_id=context.aws_request_id):
        try:
            yield
        finally:
            meter.flush()
