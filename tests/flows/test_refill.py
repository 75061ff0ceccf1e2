"""Refilling: what the shared state remembers of history by other windows is what one worker would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from msgspec.structs import replace

from shroff.adapters.memory import MemoryStore
from shroff.codec import encode_transaction
from shroff.core.decision import Decision
from shroff.core.errors import Retryable
from shroff.core.policy import Policy
from shroff.core.transaction import Transaction
from shroff.flows.decide import decide
from shroff.flows.publish import publish
from shroff.flows.rebuild import rebuild
from shroff.flows.refill import refill, refilled
from shroff.ports import Message, Record
from tests.core.samples import DAY, DOCUMENT, HOUR, policy, streams, transaction
from tests.flows.pipeline import Pipeline, Snapshots

OTHER = DOCUMENT.replace("count_5m", "count_6m")
SAME = DOCUMENT.replace("score = 0.9", "score = 0.91")


@dataclass
class Break:
    """An intermission in memory, that tells what it was asked."""

    acts: list[str] = field(default_factory=list)
    on: bool = False
    trouble: Exception | None = None

    def begin(self) -> None:
        self.acts.append("begin")
        self.on = True
        if self.trouble is not None:
            raise self.trouble

    def end(self) -> None:
        self.acts.append("end")
        self.on = False

    def lasts(self) -> bool:
        return self.on


class ByTime:
    """A ledger whose history comes in the order of time, as that of many workers does."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def history(self, after: int = 0) -> Iterator[list[Record]]:
        yield from self._store.ledger.between(0, 2**62)


class Shared:
    """Many workers' pipeline over the memory twins."""

    def __init__(self, document: str = DOCUMENT) -> None:
        self.store = MemoryStore()
        self.policy, _ = publish(self.store.policies, document, 0)
        self.intermission = Break()
        self.said: list[str] = []

    def decide(self, transactions: Sequence[Transaction]) -> Sequence[Decision]:
        messages = [
            Message(seq=1, transaction_id=each.transaction_id, body=encode_transaction(each), received_at=5)
            for each in transactions
        ]
        outcome = decide(
            messages,
            policy=self.policy,
            entities=self.store.entities,
            lists=self.store.lists,
            clock=lambda: 1_700_000_000_000,
            pause=lambda _: None,
        )
        return [decision for _, _, decision in outcome.work.decided]

    def publish(self, document: str) -> None:
        self.policy = policy(document)
        with self.ready(self.policy):
            publish(self.store.policies, document, 1)

    def ready(self, wanted: Policy):
        return refilled(
            wanted,
            policies=self.store.policies,
            ledger=ByTime(self.store),  # type: ignore[arg-type]  # all that is asked of it
            labels=self.store.labels,
            entities=self.store.entities,
            intermission=self.intermission,
            say=self.said.append,
        )


def next_ones(stream: Sequence[Transaction]) -> list[Transaction]:
    """Transactions of every entity after all of a stream."""
    newest = max(each.occurred_at for each in stream) - transaction(0).occurred_at
    who: tuple[dict[str, Any], ...] = (
        {"customer_id": "ann"},
        {"customer_id": "bob"},
        {"merchant": "shop", "card_id": "c1"},
    )
    return [transaction(900 + at, newest, **members) for at, members in enumerate(who)]


def alone(
    document: str, then: str, stream: Sequence[Transaction], later: Sequence[Transaction]
) -> list[bytes]:
    """The snapshots of one worker, whose policy changes in between."""
    pipeline = Pipeline(document)
    pipeline.run(stream)
    pipeline.policy, pipeline.snapshots = policy(then), Snapshots()
    pipeline.state, *_ = rebuild(pipeline.policy, pipeline.store.ledger, pipeline.snapshots)
    pipeline.run(later)
    return [each.snapshot for each in pipeline.decisions()[len(stream) :]]


@given(stream=streams)
def test_after_it_features_are_those_of_one_worker_to_the_bit(stream: list[Transaction]) -> None:
    shared, later = Shared(), next_ones(stream)
    # History comes by time, then by id: what came first on an instant has the smaller one.
    stream = [replace(each, transaction_id=f"t{at:03}") for at, each in enumerate(stream)]
    shared.decide(stream)
    shared.publish(OTHER)
    assert [each.snapshot for each in shared.decide(later)] == alone(DOCUMENT, OTHER, stream, later)
    assert shared.intermission.acts == ["begin", "end"]


@given(stream=streams)
def test_where_ids_do_not_tell_who_came_first_on_an_instant_deviations_differ_by_rounding_alone(
    stream: list[Transaction],
) -> None:
    shared, later = Shared(), next_ones(stream)
    shared.decide(stream)
    shared.publish(OTHER)
    found = [np.frombuffer(each.snapshot) for each in shared.decide(later)]
    wanted = [np.frombuffer(each) for each in alone(DOCUMENT, OTHER, stream, later)]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_going_back_to_earlier_windows_takes_in_what_came_meanwhile() -> None:
    rows = [transaction(number, number * HOUR, customer_id="ann") for number in range(6)]
    shared = Shared()
    shared.decide(rows[:2])
    shared.publish(OTHER)
    shared.decide(rows[2:4])
    shared.publish(DOCUMENT)
    [last] = shared.decide([rows[5]])
    assert last.snapshot == alone(DOCUMENT, DOCUMENT, rows[:4], [rows[5]])[0]


def test_a_policy_with_the_same_windows_stops_nobody() -> None:
    shared = Shared()
    shared.decide([transaction(0, customer_id="ann")])
    shared.publish(SAME)
    assert shared.intermission.acts == []
    assert shared.said == []
    assert len(shared.store.policies.history()) == 2


def test_a_later_decision_is_numbered_after_all_of_history() -> None:
    shared = Shared()
    rows = [transaction(number, number, customer_id="ann") for number in range(5)]
    shared.decide(rows[:4])
    shared.publish(OTHER)
    shared.decide(rows[4:])
    record = shared.store.ledger.find("t4")
    assert record is not None
    assert record.seq == 5


@pytest.mark.parametrize("where", ["begin", "inside"])
def test_whatever_fails_deciding_goes_on_by_the_policy_in_force(where: str) -> None:
    shared = Shared()
    trouble = Retryable("AWS did not answer")
    if where == "begin":
        shared.intermission.trouble = trouble
    with pytest.raises(Retryable), shared.ready(policy(OTHER)):
        raise trouble
    assert shared.intermission.acts[-1] == "end"
    active = shared.store.policies.active()
    assert active is not None
    assert active.version == policy(DOCUMENT).version


def test_after_a_crash_the_next_publishing_goes_on_with_it() -> None:
    shared = Shared()
    shared.decide([transaction(0, customer_id="ann")])
    shared.intermission.on = True  # its process is gone, perhaps after it published
    shared.publish(DOCUMENT)
    assert shared.intermission.acts == ["begin", "end"]
    assert "run it again" in shared.said[0]


def test_large_history_is_folded_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shroff.flows.refill._BATCH", 7)
    shared = Shared()
    rows = [transaction(number, number * DAY // 8, customer_id=f"c{number % 3}") for number in range(20)]
    shared.decide(rows)
    store = shared.store
    folded = refill(policy(OTHER), ByTime(store), store.labels, store.entities)  # type: ignore[arg-type]
    assert folded[0] == 20
    assert folded[1] >= 3
    shared.publish(OTHER)
    later = [transaction(30, 3 * DAY, customer_id="c1")]
    assert [each.snapshot for each in shared.decide(later)] == alone(DOCUMENT, OTHER, rows, later)
