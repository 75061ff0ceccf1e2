"""Deciding a batch where many workers share the entities' state: load, observe, decide, commit, or again.

::

    messages ── prepare ── load the parts of entities ── observe, decide ── commit ── outcome
                  ▲                                                               │
                  └── Repeated: without those      Contended: with the new parts ─┘

Nothing is locked: a commit holds only where nobody wrote to the same parts since they were loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from msgspec.structs import replace

from shroff.codec import decode_part, encode_part
from shroff.core.alert import Alert
from shroff.core.columns import Batch
from shroff.core.errors import Contended, Repeated
from shroff.core.observe import observe
from shroff.core.parts import merge, touched
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.detect import Fates, Prepared, decide_prepared, prepare
from shroff.ports import Clock, Entities, Fate, Lists, Message, Part, Work

Pause = Callable[[int], None]
"""Waits before another attempt, given how many there were; raises Contended where there is no time left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch; what is unsettled in its work cannot be read, and is for the caller to bury."""

    work: Work
    new_alerts: Sequence[Alert] = ()


def generation_of(policy: Policy) -> str:
    """The name under which the state of all policies with the same windows is kept."""
    return blake2b(policy.state_key.encode(), digest_size=4).hexdigest()


def decide(
    messages: Sequence[Message],
    *,
    policy: Policy,
    entities: Entities,
    lists: Lists,
    clock: Clock,
    pause: Pause,
) -> Outcome:
    """Decide and commit a batch, each message once, however many workers are at it."""
    decided = frozenset[str]()
    attempt = 0
    while True:
        attempt, now = attempt + 1, clock()
        try:
            fates = _known(decided)
            prepared = prepare(messages, policy=policy, fates=fates, lists=lists, now=now)
            return _attempt(prepared, policy, entities)
        except Repeated as error:
            # Without them the next attempt is another one; the same again would be a bug, and go on for ever.
            if error.transaction_ids <= decided:
                raise RuntimeError(f"still {error}") from error
            decided |= error.transaction_ids
        except Contended:
            pause(attempt)


def decide_each(
    messages: Sequence[Message], decide_some: Callable[[Sequence[Message]], Outcome]
) -> tuple[list[Outcome], list[tuple[Message, Exception]]]:
    """Decide messages; where that fails, each half of them, so that one that fails takes no other with it."""
    try:
        return [decide_some(messages)], []
    except Contended as error:  # out of time: halves would be too
        return [], [(message, error) for message in messages]
    except Exception as error:  # noqa: BLE001  # any failure must end at one message
        if len(messages) == 1:
            return [], [(messages[0], error)]
    middle = len(messages) // 2
    halves = [decide_each(half, decide_some) for half in (messages[:middle], messages[middle:])]
    return [each for done, _ in halves for each in done], [each for _, failed in halves for each in failed]


def _known(decided: frozenset[str]) -> Fates:
    # Asking the store before each batch would cost a read a message; what was decided, the commit tells.
    known: dict[str, Fate] = dict.fromkeys(decided, "decided")
    return lambda _: known


def _attempt(prepared: Prepared, policy: Policy, entities: Entities) -> Outcome:
    batch, columns, generation = prepared.sorted, prepared.columns, generation_of(policy)
    if not batch.readable:
        return Outcome(work=Work(unsettled=batch.unreadable, settled=batch.repeated))
    parts = entities.load(generation, touched(policy.layouts, columns))
    state = _remembered(policy, parts)
    work = decide_prepared(prepared, policy=policy, state=state)
    written = _written(policy, parts, columns, state)
    alerts = entities.commit(
        generation,
        replace(work, unsettled=(), settled=()),
        [(part, encode_part(written.take(part.entity, part.key))) for part in parts],
    )
    return Outcome(work=work, new_alerts=alerts)


def _remembered(policy: Policy, parts: Sequence[Part]) -> State:
    """The state of just these entities, all parts of each together."""
    state, layouts = policy.empty_state(), {layout.entity: layout for layout in policy.layouts}
    for part in parts:
        kept = [decode_part(each) for each in (part.state, *part.others) if each is not None]
        if kept:
            whole = kept[0] if len(kept) == 1 else merge(layouts[part.entity], kept)
            state.give(part.entity, part.key, whole)
    return state


def _written(policy: Policy, parts: Sequence[Part], columns: Batch, state: State) -> State:
    """The state from which our parts are written: of a split entity only what our own part has seen."""
    if not any(part.others for part in parts):
        return state
    own = policy.empty_state()
    for part in parts:
        if part.state is not None:
            own.give(part.entity, part.key, decode_part(part.state))
    observe(own, columns)
    return own
