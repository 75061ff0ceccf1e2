"""Deciding in a Lambda: batches of messages by the policy in force, as long as there is time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from shroff.core.alert import Alert
from shroff.core.errors import Contended, Rejected, Retryable
from shroff.core.policy import Policy
from shroff.flows.decide import Outcome, decide, decide_each
from shroff.flows.models import KnownModels
from shroff.flows.publish import newest_readable, publish
from shroff.ports import Clock, Entities, Failure, Lists, Message, Models, Policies
from shroff.runtimes.lambdas.meter import Meter

log = structlog.get_logger()

Left = Callable[[], int]
"""Milliseconds that are left to decide in."""

_KNOWN = 2_000
"""Milliseconds for which a policy goes on to be used without a look for a newer one."""
_RESERVE = 10_000
"""Milliseconds before the end from which on no further attempt begins; a call may take nine seconds."""
_TELLING = 8_000
"""Milliseconds that have to be left to tell anybody; the sweep tells what is untold."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeciderPorts:
    """What deciding asks of the world."""

    entities: Entities
    lists: Lists
    policies: Policies
    models: Models
    tell: Callable[[Sequence[Alert]], int]
    default_policy: Callable[[], str]
    """The document that a stack begins with."""
    clock: Clock
    sleep: Callable[[float], None]


class Decider:
    """Decides messages by the policy in force; lives as long as its process, and keeps only that."""

    def __init__(self, ports: DeciderPorts, meter: Meter) -> None:
        self.ports = ports
        self._meter = meter
        self._model_of = KnownModels(ports.models)
        self._policy: Policy | None = None
        self._publication = 0
        self._looked_at = -_KNOWN

    def policy(self) -> Policy:
        """The policy in force, known within two seconds; a new stack's first one is the default."""
        now = self.ports.clock()
        if self._policy is None or not 0 <= now - self._looked_at < _KNOWN:
            active = self.ports.policies.active()
            if active is None:
                _, active = publish(self.ports.policies, self.ports.default_policy(), now)
            if active.number != self._publication:
                self._policy = newest_readable(self.ports.policies, self._model_of)
                self._publication = active.number
            self._looked_at = now
        if self._policy is None:
            raise Retryable("no policy that was published can be read")
        return self._policy

    def decide(
        self,
        messages: Sequence[Message],
        left: Left,
        reserve: int = _RESERVE,
        left_to_tell: Left | None = None,
    ) -> tuple[list[Outcome], list[tuple[Message, Exception]]]:
        """Decide and commit messages, each once; a failing one takes no other with it.

        New alerts are told where there is time; `left_to_tell` where more is left for that than to decide in.
        Raises Retryable where no policy can be read.
        """
        self.policy()  # once for all of them: without one it is not the messages that fail
        outcomes, failed = decide_each(messages, lambda some: self._decide_some(some, left, reserve))
        for outcome in outcomes:
            self._count(outcome)
        self._tell([alert for outcome in outcomes for alert in outcome.new_alerts], left_to_tell or left)
        return outcomes, failed

    def _decide_some(self, messages: Sequence[Message], left: Left, reserve: int) -> Outcome:
        if left() <= reserve:
            raise Contended("there was no time left to decide it")

        def pause(attempt: int) -> None:
            self._meter.count("Contended")
            # Full jitter: those who met once are not to meet again.
            seconds = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311
            if left() - seconds * 1_000 <= reserve:
                raise Contended(f"other workers were first, {attempt} times")
            self.ports.sleep(seconds)

        return decide(
            messages,
            policy=self.policy(),
            entities=self.ports.entities,
            lists=self.ports.lists,
            clock=self.ports.clock,
            pause=pause,
        )

    def _count(self, outcome: Outcome) -> None:
        decided = outcome.work.decided
        self._meter.count("Decided", len(decided))
        for name, count in Counter(decision.outcome for _, _, decision in decided).items():
            self._meter.count("Decided", count, outcome=name)
        self._meter.count("Redelivered", len(outcome.work.settled))
        self._meter.count("Alerts", len(outcome.new_alerts))
        for message, _, decision in decided:
            self._meter.observe("BatchAge", decision.decided_at - message.received_at)

    def _tell(self, alerts: Sequence[Alert], left: Left) -> None:
        if not alerts:
            return
        if left() < _TELLING:
            log.info("alerts_left_untold", alerts=len(alerts))
            return
        try:
            self.ports.tell(alerts)
        except Exception:  # their transactions are decided all the same, and the sweep tells what is untold
            log.exception("telling_failed", alerts=len(alerts))


def with_failure(message: Message, error: Exception, now: int) -> Message:
    """The message with this attempt's failure on it, told as the embedded worker tells it."""
    expected = isinstance(error, Rejected | Retryable)
    cause = str(error) if expected else f"{type(error).__name__}: {error}"
    return replace(message, failures=(*message.failures, Failure(at=now, cause=cause)))
