"""Making the entities' shared state ready for a policy that remembers other things than the one in force.

::

    stop deciding ── fold history into the new generation ── publish ── go on deciding

What is accepted meanwhile waits in the queue. A worker of one machine does the same with its own state: it
folds history again before it decides by such a policy.

History comes by time, then by id. Where transactions of an entity are on the same instant and their ids do
not tell which was decided first, deviations may differ in their last digits; all else is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from shroff.codec import encode_part
from shroff.core.columns import Batch
from shroff.core.labels import learn
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.flows.decide import generation_of
from shroff.flows.learn import InTime, Relearning, labelled_of, rows_before
from shroff.flows.publish import newest_readable
from shroff.ports import FOREVER, Entities, Intermission, LearnedLabels, Ledger, Policies, Record

_BATCH = 10_000
"""Records observed at once."""


@contextmanager
def refilled(  # noqa: PLR0913  # a port for each
    policy: Policy,
    *,
    policies: Policies,
    ledger: Ledger,
    labels: LearnedLabels,
    entities: Entities,
    intermission: Intermission,
    say: Callable[[str], None],
) -> Iterator[None]:
    """While this lasts the state is complete for a policy, which is to be published inside.

    Deciding stands still meanwhile, unless the policy in force remembers the same things: then there is
    nothing to do. Whatever happens, deciding goes on at the end; only a crash of this very process leaves it
    standing still, and the next publishing mends that.
    """
    before = newest_readable(policies)
    if before is not None and before.state_key == policy.state_key and not intermission.lasts():
        yield
        return
    say(
        "these windows are new: deciding stands still until history is folded into them; what is accepted "
        "meanwhile waits. If this is cut off, run it again"
    )
    try:
        intermission.begin()
        folded, filled = refill(policy, ledger, labels, entities)
        say(f"{folded} transactions were folded into {filled} entities")
        yield
    finally:
        intermission.end()


def refill(policy: Policy, ledger: Ledger, labels: LearnedLabels, entities: Entities) -> tuple[int, int]:
    """Fold all of history into a policy's generation of entities; returns how many of each there are.

    History may come in the order of time: what is late is in its place then, as it is after the fact. Labels
    that were learned are learned again, each where it was known; those that wait are when deciding goes on.
    """
    state, clock, folded = policy.empty_state(), 0, 0
    learning = Relearning(InTime(labels) if any(layout.learns for layout in policy.layouts) else None)
    for records in _batches(ledger.history()):
        batch = Batch.of([record.transaction for record in records])
        latest = np.maximum.accumulate(batch.occurred_at).tolist()
        learned = list(learning.until(latest[-1]))
        observe(state, batch, labelled_of(learned), rows_before(learned, latest))
        clock, folded = max(clock, *(record.seq for record in records)), folded + len(records)
    learn(state, labelled_of(list(learning.until(FOREVER))))
    entities.fill(generation_of(policy), _states(state), clock)
    return folded, sum(len(each.slots) for each in state.entities.values())


def _batches(chunks: Iterator[list[Record]]) -> Iterator[list[Record]]:
    """The same records in batches that are worth a call."""
    waiting: list[Record] = []
    for records in chunks:
        waiting += records
        if len(waiting) >= _BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _states(state: State) -> Iterator[tuple[str, str, bytes]]:
    for kind, entity in state.entities.items():
        for key in list(entity.slots):
            yield kind, key, encode_part(entity.take(key))
