"""Logging: one event an act, as JSON lines on standard error, or for people where that is a terminal."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Set logging up for this process. Tracebacks show no values: those are people's payments."""
    people = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(
                [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
                if people
                else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_standard_error,
        # A cached logger would keep to the stream and the level of its first event, whatever is set up later;
        # made anew it costs microseconds, and what is logged comes with far more work.
        cache_logger_on_first_use=False,
    )


def _standard_error(*_: object) -> structlog.PrintLogger:
    """What standard error is when something is logged, not when logging was set up."""
    return structlog.PrintLogger(sys.stderr)
