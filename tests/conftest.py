"""What every test shares: how hard Hypothesis tries, where the evaluation data is, logging as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Timing is never asserted: machines are shared, and the first example may compile kernels.
settings.register_profile(
    "usual", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("hard", parent=settings.get_profile("usual"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

DATA = Path(os.environ.get("SHROFF_EVALUATION_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True)
def _logs_as_ever() -> None:
    """A command or a function that a test ran has set logging up, for all tests of the process.

    Tracebacks are plain: what structlog prints where it can, with every local, takes seconds of a world.
    """
    structlog.reset_defaults()
    people = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, people])
