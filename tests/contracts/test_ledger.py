"""What every ledger does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shroff.ports import Record, Work
from tests.contracts.conftest import ONE_WORKER, Adapter, Store
from tests.contracts.samples import (
    alert,
    decided,
    decision,
    dying,
    in_commits,
    message,
    retrying,
    transaction,
    unplaced,
)


def names(chunks: object) -> list[str]:
    assert hasattr(chunks, "__iter__")
    return [record.transaction.transaction_id for chunk in chunks for record in chunk]


def whole(store: Store) -> tuple[object, ...]:
    """All that can be seen of a store's ledger."""
    ledger = store.ledger
    return (
        ledger.position(),
        ledger.totals(),
        [record for chunk in ledger.history() for record in chunk],
        ledger.due(2**62, 100),
        list(store.dead_letters.all()),
        store.alerts.after(0, 100),
    )


def test_a_new_ledger_is_empty(store: Store) -> None:
    ledger = store.ledger
    assert ledger.newest() is None
    assert ledger.find("a") is None
    assert ledger.fates(["a"]) == {}
    assert list(ledger.history()) == list(ledger.between(0, 2**62)) == []
    assert ledger.totals() == {
        "decided": 0,
        "retrying": 0,
        "dead_lettered": 0,
        "alerts": 0,
        "outcome.approve": 0,
        "outcome.challenge": 0,
        "outcome.review": 0,
        "outcome.decline": 0,
    }


def test_a_decided_transaction_is_kept_to_the_byte(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("a", outcome="review")]))
    assert store.ledger.find("a") == Record(
        seq=1, transaction=transaction("a"), received_at=7, decision=decision("a", "review")
    )


def test_decisions_under_several_policies_keep_their_versions(store: Store) -> None:
    versions = ["v1", "v2", "v1"]
    work = [
        (message(n), transaction(n), decision(n, version=v)) for n, v in zip("abc", versions, strict=True)
    ]
    store.ledger.commit(Work(decided=work))
    (records,) = store.ledger.history()
    assert [record.decision.policy_version for record in records] == versions


@ONE_WORKER
def test_a_batch_moves_the_position_with_its_decisions(store: Store) -> None:
    assert store.ledger.position() == 0
    store.ledger.commit(Work(position=3, decided=[decided("a")]))
    store.ledger.commit(Work(decided=[decided("b")]))
    assert store.ledger.position() == 3


@ONE_WORKER
def test_the_position_never_goes_back(store: Store) -> None:
    store.ledger.commit(Work(position=3))
    store.ledger.commit(Work(position=3))
    with pytest.raises(ValueError, match="beyond 2"):
        store.ledger.commit(Work(position=2, decided=[decided("a")]))
    assert store.ledger.position() == 3
    assert store.ledger.find("a") is None


FORBIDDEN: dict[str, Callable[[], Work]] = {
    "decided before": lambda: Work(decided=[decided("new"), decided("a")]),
    "decided twice at once": lambda: Work(decided=[decided("a-twin"), decided("new"), decided("a-twin")]),
    "failed after it was decided": lambda: Work(decided=[decided("new")], unsettled=[retrying("a", 9)]),
    "decided and failed at once": lambda: Work(decided=[decided("a-twin")], unsettled=[dying("a-twin")]),
}


@pytest.mark.parametrize("work", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_second_decision_is_an_error_that_names_it_and_keeps_nothing(
    store: Store, work: Callable[[], Work]
) -> None:
    store.ledger.commit(
        Work(
            position=1, decided=[decided("a")], unsettled=[retrying("b", 8), dying("c")], alerts=[alert("x")]
        )
    )
    before = whole(store)
    faulty = work()
    with pytest.raises(ValueError, match=r"decided before: a(-twin)?$"):
        store.ledger.commit(
            Work(
                position=9,
                decided=faulty.decided,
                unsettled=[*faulty.unsettled, retrying("d", 9), dying("b")],
                settled=["b"],
                alerts=[alert("x"), alert("y")],
            )
        )
    assert whole(store) == before


@ONE_WORKER
def test_a_failed_message_is_due_when_its_next_attempt_is(store: Store) -> None:
    late, early, same = retrying("late", 20), retrying("early", 10, seq=2), retrying("same", 10, seq=1)
    store.ledger.commit(Work(unsettled=[late, early, same]))
    assert store.ledger.due(9, 10) == []
    assert store.ledger.due(10, 10) == [same.message, early.message]
    assert store.ledger.due(20, 2) == [same.message, early.message]
    assert store.ledger.due(20, 10) == [same.message, early.message, late.message]


@ONE_WORKER
def test_a_message_that_fails_again_is_retried_with_its_new_failures(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[retrying("a", 10)]))
    again = retrying("a", 30)
    store.ledger.commit(Work(unsettled=[again]))
    assert store.ledger.due(29, 10) == []
    assert store.ledger.due(30, 10) == [again.message]
    assert store.ledger.totals()["retrying"] == 1


def test_a_message_without_another_attempt_becomes_a_dead_letter(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[retrying("a", 10)]))
    store.ledger.commit(Work(unsettled=[dying("a", at=12)]))
    assert store.ledger.due(99, 10) == []
    (letter,) = store.dead_letters.all()
    assert unplaced(letter.message) == unplaced(dying("a", at=12).message)
    assert letter.died_at == 12
    assert not letter.discarded


@ONE_WORKER
def test_what_is_decided_or_settled_is_retried_no_more(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[retrying("a", 10), retrying("b", 10), retrying("c", 10)]))
    store.ledger.commit(Work(decided=[decided("a")], settled=["b", "never-failed"]))
    assert [each.transaction_id for each in store.ledger.due(99, 10)] == ["c"]


def test_a_dead_letter_that_is_tried_or_decided_after_all_is_dead_no_more(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[dying("a"), dying("b"), dying("c")]))
    store.ledger.commit(Work(decided=[decided("a")], unsettled=[retrying("b", 10)]))
    assert [letter.message.transaction_id for letter in store.dead_letters.all()] == ["c"]
    assert store.ledger.fates(["a", "b", "c"]) == {"a": "decided", "b": "retrying", "c": "dead_lettered"}


def test_fates_tell_each_id_apart_and_leave_out_the_unknown(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("a")], unsettled=[retrying("b", 10), dying("c")]))
    assert store.ledger.fates(["c", "a", "nobody", "b", "a"]) == {
        "a": "decided",
        "b": "retrying",
        "c": "dead_lettered",
    }
    assert store.ledger.fates([]) == {}


def test_fates_of_many_ids_are_told_at_once(adapter: Adapter) -> None:
    count, store = min(1_234, adapter.many // 2), adapter.store()
    for work in in_commits(Work(decided=[decided(f"txn-{n}") for n in range(count)])):
        store.ledger.commit(work)
    fates = store.ledger.fates([f"txn-{n}" for n in range(count + 100)])
    assert fates == {f"txn-{n}": "decided" for n in range(count)}


def test_a_window_is_half_open_and_in_order_of_time_then_id(store: Store) -> None:
    store.ledger.commit(
        Work(decided=[decided("late", 30), decided("b", 10), decided("early", 9), decided("a", 10)])
    )
    store.ledger.commit(Work(decided=[decided("middle", 20), decided("Ä", 10)]))
    assert names(store.ledger.between(10, 30)) == ["a", "b", "Ä", "middle"]
    assert names(store.ledger.between(10, 31)) == ["a", "b", "Ä", "middle", "late"]
    assert names(store.ledger.between(31, 99)) == []
    assert names(store.ledger.between(30, 30)) == []
    assert store.ledger.newest() == 10, "all but three, whose clocks may be ahead"


@ONE_WORKER
def test_history_is_in_the_order_of_observation_and_numbered_without_gaps(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("late", 30), decided("b", 10)]))
    with pytest.raises(ValueError, match="decided before: b"):
        store.ledger.commit(Work(decided=[decided("gone"), decided("b")]))
    store.ledger.commit(Work(decided=[decided("a", 20)]))
    records = [record for chunk in store.ledger.history() for record in chunk]
    assert [(record.seq, record.transaction.transaction_id) for record in records] == [
        (1, "late"),
        (2, "b"),
        (3, "a"),
    ]
    assert names(store.ledger.history(after=2)) == ["a"]
    assert names(store.ledger.history(after=3)) == []


def test_many_records_come_in_chunks_each_once_even_of_one_instant(adapter: Adapter) -> None:
    count, store = min(12_000, adapter.many), adapter.store()
    records = [decided(f"txn-{n:05}", 1_000 + n // (count * 7 // 12)) for n in range(count)]
    for work in in_commits(Work(decided=records), adapter.batch):
        store.ledger.commit(work)
    expected = [f"txn-{n:05}" for n in range(count)]
    windows, history = list(store.ledger.between(0, 9_999)), list(store.ledger.history())
    assert names(windows) == names(history) == expected
    assert all(0 < len(chunk) <= 5_000 for chunk in windows + history)


def test_a_reader_goes_on_while_the_ledger_grows(adapter: Adapter) -> None:
    count, store = min(5_500, adapter.many), adapter.store()
    for work in in_commits(
        Work(decided=[decided(f"txn-{n:05}", 1_000) for n in range(count)]), adapter.batch
    ):
        store.ledger.commit(work)
    chunks = store.ledger.between(0, 9_999)
    first = next(chunks)
    store.ledger.commit(Work(decided=[decided("later")]))
    assert names([first]) + [n for n in names(chunks) if n != "later"] == [
        f"txn-{n:05}" for n in range(count)
    ]
    assert store.ledger.find("later") is not None


def test_alerts_of_a_batch_are_kept_with_it_and_their_hits_counted(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("a")], alerts=[alert("x", score=0.5, hits=2)]))
    store.ledger.commit(Work(decided=[decided("b")], alerts=[alert("y"), alert("x", score=0.9, hits=3)]))
    kept = {each.alert_id: each for _, each in store.alerts.after(0, 10)}
    assert kept["x"] == alert("x", score=0.9, hits=5)
    assert store.ledger.totals()["alerts"] == 2


def test_totals_count_what_there_is(store: Store) -> None:
    work = [decided("a"), decided("b"), decided("c", outcome="decline")]
    store.ledger.commit(Work(decided=work, unsettled=[retrying("d", 10), dying("e"), dying("f")]))
    store.dead_letters.discard(["f"])
    totals = store.ledger.totals()
    assert totals["outcome.approve"] == 2
    assert totals["outcome.decline"] == 1
    assert (totals["decided"], totals["retrying"], totals["dead_lettered"]) == (3, 1, 2)
