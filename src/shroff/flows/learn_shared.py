"""Learning labels where many workers share the entities' state: by the clock, beside those who decide.

::

    known labels ── their transactions, decided? ── load parts ── learn ── labels and parts in one commit
        ▲                       │ no: put off                                        │
        └───────────────────────┴────────────── Contended: read all of it again ─────┘

One worker learns a label on the way of its batches; here whoever looks back does. A label is marked in the
commit that writes what was learned of it, so it is learned once, whoever crashes and however many look back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from shroff.codec import decode_part, encode_part
from shroff.core.columns import Batch
from shroff.core.errors import Contended, Retryable, TooLarge
from shroff.core.features import Layout
from shroff.core.labels import learn
from shroff.core.parts import touched
from shroff.core.policy import Policy
from shroff.flows.decide import Pause, generation_of
from shroff.flows.learn import labelled_of, sift
from shroff.ports import Clock, Due, Entities, Label, SharedLabels, Uptake

log = structlog.get_logger()

_WRITES = 90
"""Labels and parts of one commit; no store takes fewer."""
_SOON, _LATEST = 60_000, 86_400_000
"""Milliseconds for which a label is put off whose transaction is not decided: half as long as it has waited
already, between these two. So one that nobody ever sends costs some reads a day.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnPorts:
    """What learning asks of the world."""

    labels: SharedLabels
    entities: Entities
    policy: Callable[[], Policy]
    """The one in force."""
    clock: Clock
    pause: Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has become of labels."""

    learned: int = 0
    passed: int = 0
    waiting: int = 0
    """Put off, as their transactions are not decided."""
    left: int = 0
    """Transactions whose labels others were writing to; the next run comes back to them."""
    failed: int = 0
    """Transactions whose labels could not be learned, and are put off."""

    def __add__(self, more: Progress) -> Progress:
        return Progress(
            learned=self.learned + more.learned,
            passed=self.passed + more.passed,
            waiting=self.waiting + more.waiting,
            left=self.left + more.left,
            failed=self.failed + more.failed,
        )


class _StandsStill(Contended):
    """Nobody decides, and what would be learned now could be forgotten."""


def learn_pending(ports: LearnPorts, time_left: Callable[[], bool]) -> Progress:
    """Learn every label that is known and whose transaction is decided, as long as there is time.

    Where the policy in force asks for no labels they wait, and cost nothing.
    """
    done = Progress()
    if not _learners(ports.policy()):
        return done
    try:
        for ids in ports.labels.pending(ports.clock()):
            if not time_left():
                break
            done += _learn_each(ports, ids)
    except _StandsStill as error:
        log.info("labels_left", cause=str(error))
    return done


def _learn_each(ports: LearnPorts, ids: Sequence[str]) -> Progress:
    """Learn labels; where that fails, those of each half, so that one that fails takes no other with it."""
    try:
        return _learn_some(ports, ids)
    except _StandsStill:
        raise
    except Contended as error:
        log.info("labels_left", cause=str(error))
        return Progress(left=len(ids))
    except Exception as error:
        if isinstance(error, Retryable) and not isinstance(error, TooLarge):
            raise  # the world fails, not a label
        if len(ids) == 1:
            log.exception("label_not_learned", transaction_id=ids[0])
            _put_off(ports, ports.labels.of(ids))
            return Progress(failed=1)
    middle = len(ids) // 2
    return _learn_each(ports, ids[:middle]) + _learn_each(ports, ids[middle:])


def _learn_some(ports: LearnPorts, ids: Sequence[str]) -> Progress:
    """Learn what is due of some transactions, in as many commits as it takes."""
    done, attempt, most = Progress(), 0, _WRITES
    while True:
        turn = ports.entities.turn()
        if turn is None:
            raise _StandsStill("deciding stands still")
        # After the turn: what a policy remembers may change between two turns only.
        policy, now = ports.policy(), ports.clock()
        due, waiting = ports.labels.due_of(ids, now)
        some = _fitting(due, _learners(policy), most)
        try:
            done += _commit(ports.entities, policy, some, turn)
        except Contended:
            attempt += 1
            ports.pause(attempt)
            continue
        except TooLarge:
            if len(some) == 1:
                raise
            most //= 2
            continue
        if len(some) == len(due):
            _put_off(ports, waiting)
            return replace(done, waiting=done.waiting + len(waiting))


def _commit(entities: Entities, policy: Policy, due: Sequence[Due], turn: int) -> Progress:
    """Learn labels into the parts of their transactions' entities."""
    if not due:
        return Progress()
    generation, (new, passed) = generation_of(policy), sift(due)
    labelled, state = labelled_of(new), policy.empty_state()
    # Only our own parts: what the others remember is neither asked for nor changed.
    parts = entities.load(generation, touched(_learners(policy), labelled.batch))
    for part in parts:
        if part.state is not None:
            state.give(part.entity, part.key, decode_part(part.state))
    learn(state, labelled)
    uptake = Uptake(learned=[each.label for each in new], passed=[each.label for each in passed], turn=turn)
    states = [(part, encode_part(state.take(part.entity, part.key))) for part in parts]
    # What only says how a label counts for others has not changed: writing it would stop who decides.
    entities.learn(generation, uptake, [each for each in states if each[1] != each[0].state])
    return Progress(learned=len(new), passed=len(passed))


def _learners(policy: Policy) -> list[Layout]:
    return [layout for layout in policy.layouts if layout.learns]


def _fitting(due: Sequence[Due], layouts: Sequence[Layout], most: int) -> Sequence[Due]:
    """The first of these whose labels and parts are no more writes than `most`; one at least."""
    batch, parts = Batch.of([each.transaction for each in due]), set[tuple[str, str | None]]()
    columns = [(layout.entity, batch.keys(layout.fields)) for layout in layouts]
    for row in range(len(due)):
        parts |= {(entity, keys[row]) for entity, keys in columns}
        if row and row + 1 + len(parts) > most:
            return due[:row]
    return due


def _put_off(ports: LearnPorts, labels: Sequence[Label]) -> None:
    """The longer a label has waited, the longer until it is looked for again."""
    now = ports.clock()
    waits = [min(max((now - each.received_at) // 2, _SOON), _LATEST) for each in labels]
    if labels:
        ports.labels.put_off([(label, now + wait) for label, wait in zip(labels, waits, strict=True)])
