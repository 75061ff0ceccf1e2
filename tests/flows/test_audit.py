"""Conservation: accepted = decided + dead-lettered + in flight, by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shroff.flows.audit import audit, audit_between
from shroff.ports import Fate, Unsettled, Work
from tests.core.samples import DAY, START, transaction
from tests.flows.pipeline import Pipeline


def mixed() -> Pipeline:
    """Five decided, one dead, one to be tried again, two waiting."""
    pipeline = Pipeline()
    pipeline.accept(transaction(number, number * DAY) for number in range(5))
    pipeline.spoil("bad")
    pipeline.work()
    pipeline.accept([transaction(5, 5 * DAY)])
    [message] = pipeline.queue.read(6, 1)
    retry = Unsettled(message=message, due_at=START)
    pipeline.store.ledger.commit(Work(position=message.seq, unsettled=[retry]))
    pipeline.accept(transaction(number, number * DAY) for number in (6, 7))
    return pipeline


def test_every_accepted_transaction_is_counted_where_it_is() -> None:
    pipeline = mixed()
    found = audit(pipeline.queue, pipeline.store.ledger)
    assert found.members() == {"accepted": 9, "decided": 5, "dead_lettered": 1, "in_flight": 3, "missing": []}
    assert found.clean


def test_nothing_accepted_is_clean() -> None:
    pipeline = Pipeline()
    assert audit(pipeline.queue, pipeline.store.ledger).clean


def test_a_transaction_that_the_worker_passed_over_is_named() -> None:
    pipeline = mixed()
    pipeline.store.ledger.commit(Work(position=8))
    found = audit(pipeline.queue, pipeline.store.ledger)
    assert found.missing == ("t6",)
    assert not found.clean
    assert (found.accepted, found.in_flight) == (9, 2)


def test_a_decision_of_what_was_never_accepted_is_not_clean() -> None:
    accepted, other = Pipeline(), Pipeline()
    accepted.accept([transaction(1)])
    accepted.work()
    other.accept([transaction(2)])
    found = audit(other.queue, accepted.store.ledger)
    assert (found.strays, found.clean) == (1, False)


def test_a_decision_that_was_removed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = mixed()
    fates = pipeline.store.ledger.fates

    def forgetful(_: object, ids: Sequence[str]) -> dict[str, Fate]:
        return {name: fate for name, fate in fates(ids).items() if name != "t3"}

    monkeypatch.setattr(type(pipeline.store.ledger), "fates", forgetful)
    assert audit(pipeline.queue, pipeline.store.ledger).missing == ("t3",)


def test_an_audit_may_begin_where_an_earlier_one_ended() -> None:
    pipeline = mixed()
    pipeline.store.ledger.commit(Work(position=8))
    found = audit(pipeline.queue, pipeline.store.ledger, after=4)
    assert found.members() == {
        "accepted": 5, "decided": 1, "dead_lettered": 1, "in_flight": 2, "missing": ["t6"]
    }  # fmt: skip
    assert found.strays == 0, "what was decided before it is none"


def test_the_audit_of_a_span_counts_what_occurred_in_it() -> None:
    pipeline = mixed()
    store = pipeline.store
    found = audit_between(
        pipeline.queue, store.ledger, store.dead_letters, start=START + 3 * DAY, end=START + 7 * DAY
    )
    assert replace(found, missing=()).members() == {
        "accepted": 4, "decided": 2, "dead_lettered": 0, "in_flight": 2, "missing": []
    }  # fmt: skip
    assert found.clean


def test_the_audit_of_a_span_names_what_is_missing_in_it_only() -> None:
    pipeline = mixed()
    store = pipeline.store
    store.ledger.commit(Work(position=9))
    for day, missing in ((6, ("t6",)), (7, ("t7",)), (3, ())):
        start = START + day * DAY
        found = audit_between(pipeline.queue, store.ledger, store.dead_letters, start=start, end=start + DAY)
        assert found.missing == missing
