"""What every store of labels does: all are kept, none twice, and what was learned is told again in order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shroff.ports import Label, Taken, Work
from tests.contracts.conftest import ONE_WORKER, Adapter, Store
from tests.contracts.samples import decided


def label(transaction_id: str, fraud: bool = True, known_at: int = 100, **members: object) -> Label:
    given_ = {"source": "analyst", "received_at": 1_000} | members
    return Label(transaction_id=transaction_id, fraud=fraud, known_at=known_at, **given_)  # type: ignore[arg-type]


def told(labels: list[Label]) -> list[tuple[str, bool, int]]:
    return [(each.transaction_id, each.fraud, each.known_at) for each in labels]


def test_a_label_of_an_unknown_transaction_is_kept(store: Store) -> None:
    assert store.labels.add([label("t1")]) == ["accepted"]
    (kept,) = store.labels.of(["t1", "t2"])
    assert replace(kept, number=0) == label("t1")
    assert store.labels.of(["t2"]) == []


def test_the_same_label_again_changes_nothing(store: Store) -> None:
    twice = label("t1")
    assert store.labels.add([twice, twice]) == ["accepted", "repeated"]
    assert store.labels.add([replace(twice, received_at=2_000)]) == ["repeated"]
    assert len(store.labels.of(["t1"])) == 1


def test_another_word_source_or_moment_is_another_label(store: Store) -> None:
    first = label("t1", received_at=1)
    others = [
        replace(first, fraud=False, received_at=2),
        replace(first, source="customer", received_at=3),
        replace(first, known_at=101, received_at=4),
    ]
    assert store.labels.add([first, *others]) == ["accepted"] * 4
    assert store.labels.add([first, *others]) == ["repeated"] * 4
    assert told(store.labels.of(["t1"])) == told([first, *others])


def test_without_a_stated_moment_the_same_word_of_the_same_source_is_a_repetition(store: Store) -> None:
    def now(at: int, fraud: bool = True, source: str = "analyst") -> Label:
        return label("t1", fraud, at, received_at=at, stated=False, source=source)

    posted = [now(1), now(2), now(3, source="customer"), now(4, fraud=False), now(5, fraud=False), now(6)]
    statuses = [store.labels.add([each])[0] for each in posted]
    assert statuses == ["accepted", "repeated", "accepted", "accepted", "repeated", "accepted"]


def test_labels_are_told_in_the_order_of_arrival_and_counted(store: Store) -> None:
    sent = [label(f"t{n}", n % 3 == 0, 500 - n, received_at=1_000 + n) for n in range(20)]
    store.labels.add(sent)
    first = store.labels.after(0, 12)
    rest = store.labels.after(first[-1].number, 100)
    assert told([*first, *rest]) == told(sent)
    assert store.labels.after(rest[-1].number, 1) == []
    assert store.labels.counts() == {"fraud": 7, "legitimate": 13, "learned": 0, "passed": 0}


@ONE_WORKER
def test_a_label_is_due_once_it_is_known_and_its_transaction_decided(store: Store) -> None:
    store.labels.add([label("t1", known_at=300), label("t2", known_at=200), label("t9", known_at=1)])
    assert store.labels.due(1_000, 10) == []
    store.ledger.commit(Work(decided=[decided("t1"), decided("t2")]))
    store.labels.add([label("t2", known_at=100, source="customer")])
    assert [each.label.known_at for each in store.labels.due(300, 10)] == [100, 200, 300]
    assert [each.label.known_at for each in store.labels.due(299, 1)] == [100]
    assert store.labels.due(99, 10) == []
    assert {each.transaction.transaction_id for each in store.labels.due(300, 10)} == {"t1", "t2"}


@ONE_WORKER
def test_what_was_learned_is_told_with_the_record_it_was_learned_before(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("t1"), decided("t2")]))
    store.labels.add([label("t1"), label("t2"), label("t4", known_at=7), label("t2", source="customer")])
    store.ledger.commit(
        Work(
            decided=[decided("t3"), decided("t4"), decided("t5")],
            learned=[Taken(number=2, row=0), Taken(number=3, row=2)],
            passed=[4],
        )
    )
    assert [each.label.number for each in store.labels.due(1_000, 10)] == [1]
    store.ledger.commit(Work(learned=[Taken(number=1, row=0)]))
    learned = store.labels.learned(0, 10)
    assert [(each.place, each.label.number, each.before) for each in learned] == [
        (1, 2, 3), (2, 3, 5), (3, 1, 6)
    ]  # fmt: skip
    assert [each.transaction.transaction_id for each in learned] == ["t2", "t4", "t1"]
    assert store.labels.learned(1, 1) == learned[1:2]
    assert store.labels.due(1_000, 10) == []
    assert store.labels.counts() == {"fraud": 4, "legitimate": 0, "learned": 3, "passed": 1}


@ONE_WORKER
def test_the_last_word_that_was_due_comes_with_the_next(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("t1")]))
    store.labels.add([label("t1", known_at=1), label("t1", known_at=5, source="customer")])
    assert [each.word for each in store.labels.due(9, 10)] == [None, None]
    store.ledger.commit(Work(learned=[Taken(number=1, row=0)], passed=[2]))
    store.labels.add([label("t1", fraud=False, known_at=3)])
    (due,) = store.labels.due(9, 10)
    assert due.word is not None
    assert due.word.number == 2, "the newest by known_at, though it was passed"


@ONE_WORKER
def test_a_commit_that_fails_learns_nothing(store: Store) -> None:
    store.ledger.commit(Work(decided=[decided("t1")]))
    store.labels.add([label("t1")])
    with pytest.raises(ValueError, match="decided before"):
        store.ledger.commit(Work(decided=[decided("t1")], learned=[Taken(number=1, row=0)]))
    assert store.labels.learned(0, 10) == []
    assert len(store.labels.due(1_000, 10)) == 1


LABELS = st.lists(
    st.builds(
        label,
        st.sampled_from(["t1", "t2"]),
        st.booleans(),
        st.integers(1, 3),
        source=st.sampled_from(["analyst", "customer"]),
    ),
    max_size=8,
)


@given(LABELS, st.integers(0, 8))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_labels_are_sent_each_is_kept_once(adapter: Adapter, sent: list[Label], cut: int) -> None:
    labels = adapter.store().labels
    for at, each in enumerate(sent):
        labels.add([replace(each, received_at=1_000 + at)])
    statuses = labels.add(sent[:cut])
    assert statuses == ["repeated"] * len(sent[:cut])
    kept = labels.of(["t1", "t2"])
    assert len(kept) == len({(each.transaction_id, each.fraud, each.known_at, each.source) for each in sent})
    assert labels.after(0, 100) == kept
