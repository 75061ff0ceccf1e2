"""Learning labels in a Lambda: some minutes of a run, beside all who decide."""

from __future__ import annotations

import random
from collections.abc import Callable

import structlog

from shroff.core.errors import Contended
from shroff.core.policy import Policy
from shroff.flows.learn_shared import LearnPorts, Progress, learn_pending
from shroff.ports import Clock, Entities, SharedLabels
from shroff.runtimes.lambdas.meter import Meter

log = structlog.get_logger()

_LEARNING_FOR = 300_000
"""Milliseconds of a run that learning may take."""
_ATTEMPTS = 8
"""How often the parts of hot entities are read again before their labels are left to the next run."""


class Learner:
    """Learns what is known and waits, and counts it."""

    def __init__(  # a port for each
        self,
        labels: SharedLabels,
        entities: Entities,
        policy: Callable[[], Policy],
        clock: Clock,
        sleep: Callable[[float], None],
        meter: Meter,
    ) -> None:
        self._ports = LearnPorts(
            labels=labels, entities=entities, policy=policy, clock=clock, pause=self._pause
        )
        self._clock, self._sleep, self._meter = clock, sleep, meter

    def learn(self, time_left: Callable[[], bool]) -> None:
        """Learn while there is time, for some minutes. Raises RuntimeError where labels cannot be."""
        began = self._clock()
        done = learn_pending(self._ports, lambda: time_left() and self._clock() - began < _LEARNING_FOR)
        if done == Progress():
            return
        self._meter.count("LabelsLearned", done.learned)
        self._meter.count("LabelsPassed", done.passed)
        log.info(
            "labels_learned",
            learned=done.learned,
            passed=done.passed,
            waiting=done.waiting,
            left=done.left,
            failed=done.failed,
        )
        if done.failed:
            raise RuntimeError(f"the labels of {done.failed} transactions could not be learned")

    def _pause(self, attempt: int) -> None:
        self._meter.count("Contended")
        if attempt == _ATTEMPTS:
            raise Contended(f"other workers were first, {attempt} times")
        # Full jitter: those who met once are not to meet again.
        self._sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311  # no secret
