"""What every store of labels does for many workers: each is learned once, with the state that learned it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shroff.core.errors import Contended
from shroff.ports import Label, Part, Uptake, Work
from tests.contracts.conftest import MANY_WORKERS, Adapter, SharedStore
from tests.contracts.samples import decided
from tests.contracts.test_labels import label

pytestmark = MANY_WORKERS

SHOP, BAR = ("merchant", "shop"), ("merchant", "bar")
NOW = 1_000_000


@pytest.fixture
def shared(adapter: Adapter) -> SharedStore:
    return adapter.store()  # type: ignore[return-value]  # SQLite has one worker, and is not asked


def decide(shared: SharedStore, *names: str, parts: tuple[tuple[str, str], ...] = ()) -> None:
    states = [(part, b"decided") for part in shared.entities.load("g1", parts)]
    shared.entities.commit("g1", Work(decided=[decided(name) for name in names]), states)


def add(shared: SharedStore, *labels: Label) -> None:
    for at, each in enumerate(labels):
        shared.labels.add([label(each.transaction_id, each.fraud, each.known_at, source=each.source,
                                     received_at=1_000 + at)])  # fmt: skip


def waiting(shared: SharedStore, now: int = NOW) -> list[str]:
    return [each for ids in shared.labels.pending(now) for each in ids]


def due(shared: SharedStore, *names: str, now: int = NOW) -> list[Label]:
    return [each.label for each in shared.labels.due_of(names, now)[0]]


def take(
    shared: SharedStore,
    learned: list[Label],
    states: list[tuple[Part, bytes]],
    passed: tuple[Label, ...] = (),
) -> None:
    turn = shared.entities.turn()
    assert turn is not None
    shared.entities.learn("g1", Uptake(learned=learned, passed=passed, turn=turn), states)


def test_what_is_known_and_waits_is_found_oldest_first_and_what_is_not_known_is_not(shared: SharedStore):
    add(shared, label("t1", known_at=300), label("t2", known_at=100), label("t3", known_at=NOW + 1))
    add(shared, label("t1", known_at=50, source="customer"))
    assert waiting(shared) == ["t1", "t2"]
    assert waiting(shared, 99) == ["t1"]
    assert waiting(shared, 49) == []


def test_a_label_is_due_once_its_transaction_is_decided_and_else_told_apart(shared: SharedStore) -> None:
    add(shared, label("t1", known_at=300), label("t2", known_at=100), label("t1", known_at=NOW + 1))
    decide(shared, "t1")
    found, undecided = shared.labels.due_of(["t1", "t2", "t3"], NOW)
    assert [(each.label.known_at, each.transaction.transaction_id) for each in found] == [(300, "t1")]
    assert [each.known_at for each in undecided] == [100]


def test_labels_and_state_are_learned_together_and_only_once(shared: SharedStore) -> None:
    add(shared, label("t1"), label("t2"), label("t2", known_at=200, source="customer"))
    decide(shared, "t1", "t2")
    first, second, same = due(shared, "t1", "t2")
    (part,) = shared.entities.load("g1", [SHOP])
    take(shared, [first, second], [(part, b"learned")], passed=(same,))
    assert waiting(shared) == []
    assert due(shared, "t1", "t2") == []
    assert [part.state for part in shared.entities.load("g1", [SHOP])] == [b"learned"]
    counts = shared.labels.counts()
    assert (counts["learned"], counts["passed"]) == (2, 1)
    for again in ([first], []):
        with pytest.raises(Contended):
            take(shared, again, [(shared.entities.load("g1", [BAR])[0], b"twice")], passed=(same,))
    assert [part.state for part in shared.entities.load("g1", [BAR])] == [None]


def test_who_lost_a_part_has_learned_nothing(shared: SharedStore) -> None:
    add(shared, label("t1"))
    decide(shared, "t1")
    (part,) = shared.entities.load("g1", [SHOP])
    decide(shared, "t2", parts=(SHOP,))
    with pytest.raises(Contended):
        take(shared, due(shared, "t1"), [(part, b"learned")])
    assert [part.state for part in shared.entities.load("g1", [SHOP])] == [b"decided"]
    assert len(due(shared, "t1")) == 1


def test_who_decides_by_parts_that_have_learned_since_has_decided_nothing(shared: SharedStore) -> None:
    add(shared, label("t1"))
    decide(shared, "t1", parts=(SHOP,))
    stale = shared.entities.load("g1", [SHOP])
    take(shared, due(shared, "t1"), [(stale[0], b"learned")])
    with pytest.raises(Contended):
        shared.entities.commit("g1", Work(decided=[decided("t2")]), [(stale[0], b"decided")])
    assert shared.ledger.find("t2") is None


def test_the_last_word_comes_with_the_next(shared: SharedStore) -> None:
    add(shared, label("t1", known_at=1), label("t1", known_at=5, source="customer"))
    decide(shared, "t1")
    first, second = due(shared, "t1")
    take(shared, [first], [], passed=(second,))
    shared.labels.add([label("t1", fraud=False, known_at=3, received_at=5_000)])
    ((found,), _) = shared.labels.due_of(["t1"], NOW)
    assert found.word is not None
    assert found.word.known_at == 5, "the newest by known_at, though it was passed"


def test_what_is_put_off_is_not_looked_for_before(shared: SharedStore) -> None:
    add(shared, label("t1"), label("t2"))
    shared.labels.put_off([(each, NOW + 60_000) for each in shared.labels.of(["t1"])])
    assert waiting(shared) == ["t2"]
    assert sorted(waiting(shared, NOW + 60_000)) == ["t1", "t2"]


def test_what_was_learned_does_not_wait_again_by_being_put_off(shared: SharedStore) -> None:
    add(shared, label("t1"))
    decide(shared, "t1")
    found = due(shared, "t1")
    take(shared, found, [])
    shared.labels.put_off([(each, 2) for each in found])
    assert waiting(shared) == []


def test_learned_labels_are_told_before_the_records_that_have_seen_them(shared: SharedStore) -> None:
    add(shared, label("t1"), label("t2"), label("t3"))
    decide(shared, "t1", "t2", parts=(SHOP,))
    decide(shared, "t3", parts=(BAR,))
    take(shared, due(shared, "t2"), [(part, b"l") for part in shared.entities.load("g1", [SHOP, BAR])])
    decide(shared, "t4", parts=(BAR,))
    decide(shared, "t5", parts=(SHOP,))
    take(shared, due(shared, "t1"), [(part, b"l") for part in shared.entities.load("g1", [SHOP])])
    seq = {each.transaction.transaction_id: each.seq for some in shared.ledger.history() for each in some}
    learned = shared.labels.learned(0, 10)
    assert [(each.label.transaction_id, each.place) for each in learned] == [("t2", 1), ("t1", 2)]
    assert [each.transaction.transaction_id for each in learned] == ["t2", "t1"]
    early, late = (each.before for each in learned)
    assert max(seq["t1"], seq["t2"], seq["t3"]) < early <= min(seq["t4"], seq["t5"])
    assert seq["t5"] < late
    assert shared.labels.learned(1, 10) == learned[1:]


def test_of_many_who_learn_the_same_at_once_one_does(shared: SharedStore) -> None:
    add(shared, label("t1"))
    decide(shared, "t1")
    found, parts = due(shared, "t1"), shared.entities.load("g1", [SHOP])

    def attempt(number: int) -> bool:
        try:
            take(shared, found, [(parts[0], str(number).encode())])
        except Contended:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]
    assert shared.labels.counts()["learned"] == 1
