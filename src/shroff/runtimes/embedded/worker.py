"""The worker: takes batches from the queue, decides them, commits all that follows as one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from shroff.core.errors import Damaged, Fault, Rejected, Retryable
from shroff.core.labels import learn
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.detect import Prepared, decide_prepared, detect, failed, prepare
from shroff.flows.learn import arrears
from shroff.flows.models import KnownModels
from shroff.flows.moment import moment_of
from shroff.flows.publish import newest_readable
from shroff.flows.rebuild import keep, rebuild
from shroff.ports import (
    Clock,
    Fate,
    LearnedLabels,
    Ledger,
    Lists,
    Message,
    Models,
    Policies,
    Queue,
    Snapshots,
    Unsettled,
    Work,
)

log = structlog.get_logger()

WRITTEN_A_DECISION = 1_000
"""Bytes that snapshots may come to for each decision: of a large state they are written less often."""
MOST_SINCE = 500_000
"""Decisions after which there is a snapshot all the same: a start observes what came after it again."""

Wait = Callable[[float], bool]
"""Waits for so many seconds; True where the worker is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """What a worker asks of the world."""

    queue: Queue
    ledger: Ledger
    labels: LearnedLabels
    lists: Lists
    policies: Policies
    models: Models
    snapshots: Snapshots
    store_changed: Callable[[], int]
    """A number that changes when somebody else commits to the store."""
    clock: Clock


class Worker:
    """Decides messages in order. One worker a data folder: it alone moves the queue's position.

    The state in memory is always that after what is committed and what waits in hand for its commit, a batch
    or two. Where a batch fails it is brought back to that, and the batch is halved until the failing message
    stands alone: it waits for another attempt, its neighbours do not.

    Where many messages wait, a thread beside the worker's does all that asks the world::

        worker │ decide 1          │ decide 2             │ decide 3
        beside │ prepare 2         │ commit 1, prepare 3  │ commit 2, prepare 4
    """

    def __init__(
        self, ports: WorkerPorts, *, batch: int, retry_delays: Sequence[float], snapshot_every: int
    ) -> None:
        self.ports = ports
        self.batch = batch
        self.retry_delays = tuple(retry_delays)
        self.snapshot_every = snapshot_every
        self._model_of = KnownModels(ports.models)
        self._changed: int | None = None
        self._policy: Policy | None = None
        self._publication = 0
        self._state: State | None = None
        self._seq = 0
        self._snapshot_seq = 0
        self._snapshot_bytes = 0
        self._place = 0
        self._ahead: Prepared | None = None
        self._uncommitted = deque[Work]()
        self._beside = ThreadPoolExecutor(1, "beside")

    def start(self) -> None:
        """Bring the state to where the ledger is. Raises Rejected where the queue is not the ledger's."""
        last, position = self.ports.queue.last(), self.ports.ledger.position()
        if last < position:
            sentence = (
                f"the queue ends at {last}, and the store is done up to {position}: restore both of one time"
            )
            raise Rejected([Fault("data", sentence)])
        self._follow_policy()

    def step(self) -> int:
        """Decide a batch and commit one, mostly the same; returns 0 where there was nothing to do."""
        if self._ahead is not None:
            return self._decide_ahead(self._ahead)
        if self._uncommitted:
            return self._commit()
        self._follow_policy()
        now, position = self.ports.clock(), self.ports.ledger.position()
        again = self.ports.ledger.due(now, self.batch)
        new = self.ports.queue.read(position, self.batch)
        if again:
            self._handle(again, move=False)
        if new:
            ahead = self._prepare(new, in_hand=[])
            if ahead is not None:
                self._decide_ahead(ahead)
            else:
                self._handle(new, move=True)
        return len(again) + len(new)

    def run(self, wait: Wait) -> None:
        """Step until told to stop; what is decided by then is committed."""
        pause = 0.0
        while not wait(pause):
            try:
                busy = self.step()
            except Retryable as error:
                log.warning("store_unavailable", cause=str(error))
                pause = 0.5
                continue
            # A millisecond after traffic keeps decisions prompt; five when idle cost next to nothing.
            pause = 0.0 if busy else min(0.005, pause + 0.001)
        self._finish()

    def snapshot(self) -> None:
        """Keep the state, so that the next start need not fold history from the beginning."""
        if self._policy is None or self._state is None or self._seq <= self._snapshot_seq:
            return
        if self._uncommitted:  # the state is past what the ledger holds
            return
        try:
            ports = self.ports
            self._snapshot_bytes = keep(
                self._policy, self._state, self._seq, ports.ledger, ports.snapshots,
                place=self._place, labels=ports.labels,
            )  # fmt: skip
        except Retryable as error:
            log.warning("snapshot_not_kept", cause=str(error))
        self._snapshot_seq = self._seq

    def _finish(self) -> None:
        """Commit what is decided; where that cannot be, the next start decides it again."""
        self._ahead = None
        try:
            self._commit()
        except Retryable as error:
            log.warning("store_unavailable", cause=str(error))

    def _decide_ahead(self, batch: Prepared) -> int:
        """Decide a batch while what was decided before it is committed, and the one after it prepared."""
        self._ahead = None
        self._current_state()  # now, as the way back to it asks the world too
        beside = self._beside.submit(self._commit_and_prepare, batch)
        work = self._decide(batch)
        try:
            self._ahead = beside.result()
        finally:
            if isinstance(work, Work):  # even where the commit before it failed: it waits behind that
                self._uncommitted.append(work)
        if not isinstance(work, Work):
            self._ahead = None
            self._handle(batch.messages, move=True)
        return len(batch.messages)

    def _commit_and_prepare(self, batch: Prepared) -> Prepared | None:
        self._commit_decided()
        in_hand = [message.transaction_id for message, _ in batch.sorted.readable]
        return self._prepare(self.ports.queue.read(batch.messages[-1].seq, self.batch), in_hand=in_hand)

    def _prepare(self, messages: Sequence[Message], *, in_hand: Sequence[str]) -> Prepared | None:
        """A batch to be decided beside other work; None where it is not full, or something else comes first.

        What is in hand counts as decided.
        """
        ports, policy = self.ports, self._policy
        if len(messages) < self.batch or policy is None or self._is_interrupted(len(in_hand)):
            return None
        decided: dict[str, Fate] = dict.fromkeys(in_hand, "decided")
        try:
            return prepare(
                messages,
                policy=policy,
                fates=lambda ids: ports.ledger.fates(ids) | decided,
                lists=ports.lists,
                now=ports.clock(),
            )
        except Damaged:
            raise
        except Exception:  # noqa: BLE001  # it comes again where it can be told of which message it is
            return None

    def _is_interrupted(self, in_hand: int) -> bool:
        """Whether something else is to be done before more is decided."""
        ports, labels = self.ports, self.ports.labels.counts()
        return (
            ports.store_changed() != self._changed  # by whoever publishes a policy, for one
            or bool(ports.ledger.due(ports.clock(), 1))
            or labels["fraud"] + labels["legitimate"] > labels["learned"] + labels["passed"]
            or self._is_snapshot_due(in_hand)
        )

    def _handle(self, messages: Sequence[Message], *, move: bool) -> None:
        """Decide and commit messages; where that fails, each half of them, down to the one that fails."""
        if self._policy is None:
            raise Retryable("no policy is published")
        now = self.ports.clock()
        self._make_up(messages, now)
        work = self._detect(messages, self._policy, now)
        if not isinstance(work, Work) and len(messages) == 1:
            work = self._put_off(messages[0], work, now)
        if isinstance(work, Work):
            self._uncommitted.append(replace(work, position=messages[-1].seq) if move else work)
            self._commit()
        else:
            # Each failure costs a way back to here: a snapshot makes that way short.
            self._current_state()
            self.snapshot()
            middle = len(messages) // 2
            self._handle(messages[:middle], move=move)
            self._handle(messages[middle:], move=move)

    def _make_up(self, messages: Sequence[Message], now: int) -> None:
        """Learn what was due before any of the messages, as long as that is too much for one batch."""
        if not self.ports.labels.due(now, 1):
            return
        until = min(now, *map(moment_of, messages))
        while (lessons := arrears(self.ports.labels, until)) is not None:
            if lessons.labelled is not None:
                learn(self._current_state(), lessons.labelled)
            self._uncommitted.append(Work(learned=lessons.learned, passed=lessons.passed))
            self._commit()

    def _detect(self, messages: Sequence[Message], policy: Policy, now: int) -> Work | Exception:
        """What follows from the messages, or why nothing can: then the state is that of the last commit."""
        try:
            return detect(
                messages,
                policy=policy,
                state=self._current_state(),
                fates=self.ports.ledger.fates,
                lists=self.ports.lists,
                now=now,
                labels=self.ports.labels,
            )
        except Damaged:
            raise
        except Exception as error:  # noqa: BLE001  # any failure must end at one message, not stop the queue
            self._state = None
            return error

    def _decide(self, batch: Prepared) -> Work | Exception:
        """What follows from a batch that was prepared, as `_detect` says; it moves the queue's position."""
        assert self._policy is not None  # noqa: S101  # it was prepared for one
        try:
            work = decide_prepared(batch, policy=self._policy, state=self._current_state())
        except Exception as error:  # noqa: BLE001  # as above
            self._state = None
            return error
        return replace(work, position=batch.messages[-1].seq)

    def _put_off(self, message: Message, error: Exception, now: int) -> Work:
        expected = isinstance(error, Rejected | Retryable)
        log.warning(
            "message_failed",
            transaction_id=message.transaction_id,
            attempt=len(message.failures) + 1,
            cause=str(error),
            exc_info=None if expected else error,
        )
        tried = len(message.failures)
        gives_up = isinstance(error, Rejected) or tried >= len(self.retry_delays)
        due_at = None if gives_up else now + int(self.retry_delays[tried] * 1000)
        cause = str(error) if expected else f"{type(error).__name__}: {error}"
        return Work(unsettled=[Unsettled(message=failed(message, cause, now), due_at=due_at)])

    def _commit(self) -> int:
        done = self._commit_decided()
        if self._is_snapshot_due():
            self.snapshot()
        return done

    def _commit_decided(self) -> int:
        """Commit what is in hand, in its order; returns how many messages."""
        done = 0
        while self._uncommitted:
            work = self._uncommitted[0]
            self.ports.ledger.commit(work)
            self._uncommitted.popleft()
            self._seq += len(work.decided)
            self._place += len(work.learned)
            done += len(work.decided) + len(work.unsettled) + len(work.settled)
        return done

    def _is_snapshot_due(self, in_hand: int = 0) -> bool:
        worth = min(self._snapshot_bytes // WRITTEN_A_DECISION, MOST_SINCE)
        return self._seq + in_hand - self._snapshot_seq >= max(self.snapshot_every, worth)

    def _current_state(self) -> State:
        if self._state is None:
            policy = self._policy
            assert policy is not None  # noqa: S101  # _handle asked
            ports = self.ports
            rebuilt = rebuild(policy, ports.ledger, ports.snapshots, ports.labels)
            self._state, self._seq, self._snapshot_seq, self._place = rebuilt
        return self._state

    def _follow_policy(self) -> None:
        """Take over a newly published policy; its windows are filled from history before it decides."""
        changed = self.ports.store_changed()
        if changed == self._changed:
            return
        active = self.ports.policies.active()
        if active is not None and active.number != self._publication:
            self._take_over(newest_readable(self.ports.policies, self._model_of))
            self._publication = active.number
        self._changed = changed  # last: where the store could not be read, the next step looks again

    def _take_over(self, policy: Policy | None) -> None:
        if policy is None or (self._policy is not None and policy.version == self._policy.version):
            return
        if self._policy is None or policy.state_key != self._policy.state_key:
            self._state = None
        self._policy = policy
        self._current_state()
        log.info("policy_in_force", policy_version=policy.version, name=policy.name)
