"""Deciding a batch of messages: from accepted bodies to everything that is to be committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shroff.codec import decode_transaction
from shroff.core.alert import raise_alerts
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import decide, snapshot
from shroff.core.errors import Fault, Rejected
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.core.state import State
from shroff.core.transaction import Transaction
from shroff.flows.learn import Lessons, lessons
from shroff.ports import Failure, Fate, LearnedLabels, Lists, Message, Unsettled, Work

Fates = Callable[[Sequence[str]], dict[str, Fate]]


@dataclass(slots=True)
class Sorted:
    """A batch of messages by what is to become of them."""

    readable: list[tuple[Message, Transaction]] = field(default_factory=list)
    unreadable: list[Unsettled] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A batch of messages with all that the world says of it: to decide it, nothing more is asked."""

    messages: Sequence[Message]
    sorted: Sorted
    columns: Batch
    """Of what is readable."""
    listed: Mapping[str, Array]
    """List → [n] bool, whether each row is on it."""
    learning: Lessons
    now: int


def detect(  # noqa: PLR0913  # a port for each thing it asks
    messages: Sequence[Message],
    *,
    policy: Policy,
    state: State,
    fates: Fates,
    lists: Lists,
    now: int,
    labels: LearnedLabels | None = None,
) -> Work:
    """Decide each message once: what is readable and new is observed and decided, the rest is sorted out.

    Labels that are due are learned on the way, each just before the first transaction that may know of it.
    The state moves past the batch. Where this raises, it may have moved part of the way: whoever
    calls goes back to the state of the last commit.
    """
    prepared = prepare(messages, policy=policy, fates=fates, lists=lists, now=now, labels=labels)
    return decide_prepared(prepared, policy=policy, state=state)


def prepare(
    messages: Sequence[Message],
    *,
    policy: Policy,
    fates: Fates,
    lists: Lists,
    now: int,
    labels: LearnedLabels | None = None,
) -> Prepared:
    """Read and sort messages, and ask all that is to be known for deciding them."""
    found = sort(messages, fates, now)
    transactions = [transaction for _, transaction in found.readable]
    columns = Batch.of(transactions)
    return Prepared(
        messages=messages,
        sorted=found,
        columns=columns,
        listed=listed(policy, columns, lists, now),
        learning=lessons(transactions, labels, now) if labels is not None and transactions else Lessons(),
        now=now,
    )


def decide_prepared(prepared: Prepared, *, policy: Policy, state: State) -> Work:
    """Observe and decide what is readable of a batch; the state moves past it."""
    batch, columns, learning, now = prepared.sorted, prepared.columns, prepared.learning, prepared.now
    if not batch.readable:
        return Work(unsettled=batch.unreadable, settled=batch.repeated)
    features = observe(state, columns, learning.labelled, learning.before)
    decisions = decide(policy, columns, snapshot(features, prepared.listed), now)
    return Work(
        decided=[(*pair, decision) for pair, decision in zip(batch.readable, decisions, strict=True)],
        unsettled=batch.unreadable,
        settled=batch.repeated,
        alerts=raise_alerts(policy, columns, decisions, now),
        learned=learning.learned,
        passed=learning.passed,
    )


def listed(policy: Policy, batch: Batch, lists: Lists, now: int) -> dict[str, Array]:
    """Which rows are on each of the policy's lists: list → [n] bool."""
    found = {}
    for name, member in policy.lists.items():
        values = batch.texts[member]
        present = sorted({value for value in values if value is not None})
        members = lists.members(name, present, now) if present else set()
        found[name] = np.zeros(len(values), bool)
        if members:
            found[name][:] = [value in members for value in values]
    return found


def sort(messages: Sequence[Message], fates: Fates, now: int) -> Sorted:
    """Which of the messages can be decided, which cannot be read, and which were decided before."""
    found = Sorted()
    known = fates([message.transaction_id for message in messages])
    seen = set[str]()
    for message in messages:
        # Delivery is at least once: a message may come again after its decision, or twice in one batch.
        if known.get(message.transaction_id) == "decided" or message.transaction_id in seen:
            found.repeated.append(message.transaction_id)
            continue
        seen.add(message.transaction_id)
        try:
            found.readable.append((message, _transaction_of(message)))
        except Rejected as error:
            found.unreadable.append(Unsettled(message=failed(message, str(error), now), due_at=None))
    return found


def _transaction_of(message: Message) -> Transaction:
    transaction = decode_transaction(message.body)
    if transaction.transaction_id != message.transaction_id:
        sentence = f'the body is of transaction "{transaction.transaction_id}"'
        raise Rejected([Fault("transaction_id", sentence)])
    return transaction


def failed(message: Message, cause: str, now: int) -> Message:
    """The message with one more failure on it."""
    return Message(
        seq=message.seq,
        transaction_id=message.transaction_id,
        body=message.body,
        received_at=message.received_at,
        failures=(*message.failures, Failure(at=now, cause=cause)),
    )
