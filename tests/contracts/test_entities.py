"""What every store of entities does for many workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from msgspec.structs import replace

from shroff.core.errors import Contended, Repeated
from shroff.ports import SEALED, Part, Work
from tests.contracts.conftest import MANY_WORKERS, Adapter, SharedStore
from tests.contracts.samples import Decided, alert, decided

pytestmark = MANY_WORKERS

CARD, SHOP = ("card", "c-1"), ("merchant", "m-1")


@pytest.fixture
def shared(adapter: Adapter) -> SharedStore:
    return adapter.store()  # type: ignore[return-value]  # SQLite has one worker, and is not asked


def work(*names: str) -> Work:
    return Work(decided=[decided(name) for name in names])


def commit(shared: SharedStore, what: Work, states: list[tuple[Part, bytes]]) -> list[str]:
    return [each.alert_id for each in shared.entities.commit("g1", what, states)]


def parts(shared: SharedStore, *names: tuple[str, str]) -> list[Part]:
    return shared.entities.load("g1", names)


def seqs(shared: SharedStore) -> dict[str, int]:
    return {each.transaction.transaction_id: each.seq for some in shared.ledger.history() for each in some}


def test_an_entity_that_was_never_met_has_an_empty_part(shared: SharedStore) -> None:
    assert parts(shared, CARD, SHOP) == [Part(entity="card", key="c-1"), Part(entity="merchant", key="m-1")]
    assert parts(shared) == []


def test_the_state_comes_back_to_the_byte_in_the_order_asked_for(shared: SharedStore) -> None:
    card, shop = parts(shared, CARD, SHOP)
    commit(shared, work("a"), [(card, b"\x00card"), (shop, b"shop")])
    again = parts(shared, SHOP, ("card", "c-2"), CARD)
    assert [part.state for part in again] == [b"shop", None, b"\x00card"]
    assert [(part.entity, part.key) for part in again] == [SHOP, ("card", "c-2"), CARD]


def test_generations_know_nothing_of_each_other(shared: SharedStore) -> None:
    commit(shared, work("a"), [(parts(shared, CARD)[0], b"one")])
    assert shared.entities.load("g2", [CARD]) == [Part(entity="card", key="c-1")]


def test_any_text_is_a_key(shared: SharedStore) -> None:
    keys = [
        ("card", key) for key in ("a#b", "Zoë", "日本" * 500, "x" * 2_000, "x" * 2_001, "a\x1fb", "a\x00")
    ]
    commit(shared, work("a"), [(part, part.key.encode()) for part in parts(shared, *keys)])
    assert [part.state for part in parts(shared, *keys)] == [key.encode() for _, key in keys]


def test_records_are_numbered_on_along_every_entity(shared: SharedStore) -> None:
    card, shop = parts(shared, CARD, SHOP)
    commit(shared, work("a", "b"), [(card, b"1")])
    commit(shared, work("c"), [(shop, b"1")])
    card, shop = parts(shared, CARD, SHOP)
    assert (card.clock, shop.clock) == (2, 1)
    commit(shared, work("d", "e"), [(card, b"2"), (shop, b"2")])
    assert seqs(shared) == {"a": 1, "b": 2, "c": 1, "d": 3, "e": 4}
    assert [part.clock for part in parts(shared, CARD, SHOP)] == [4, 4]


def test_who_comes_second_keeps_nothing_of_its_work(shared: SharedStore) -> None:
    card, shop = parts(shared, CARD, SHOP)
    commit(shared, work("a"), [(card, b"first")])
    with pytest.raises(Contended, match="card c-1"):
        commit(shared, Work(decided=[decided("b")], alerts=[alert("x")]), [(card, b"second"), (shop, b"s")])
    assert seqs(shared) == {"a": 1}
    assert [part.state for part in parts(shared, CARD, SHOP)] == [b"first", None]
    assert shared.alerts.between(0, 9_999) == []


def test_what_was_decided_before_is_named_and_nothing_is_kept(shared: SharedStore) -> None:
    commit(shared, work("a", "b"), [(parts(shared, CARD)[0], b"1")])
    with pytest.raises(Repeated) as caught:
        commit(shared, work("b", "c", "a"), [(parts(shared, CARD)[0], b"2")])
    assert caught.value.transaction_ids == {"a", "b"}
    assert seqs(shared) == {"a": 1, "b": 2}
    assert parts(shared, CARD)[0].state == b"1"


def test_the_same_work_again_is_told_to_be_repeated(shared: SharedStore) -> None:
    states = [(parts(shared, CARD)[0], b"1")]
    commit(shared, work("a"), states)
    with pytest.raises(Repeated, match="a"):
        commit(shared, work("a"), states)


def test_one_transaction_twice_in_one_work_is_an_error(shared: SharedStore) -> None:
    with pytest.raises(ValueError, match="decided"):
        commit(shared, work("a", "a"), [])
    assert seqs(shared) == {}


def test_only_new_alerts_are_returned_and_all_hits_are_counted(shared: SharedStore) -> None:
    def raising(name: str, *alerts: tuple[str, float]) -> list[str]:
        raised = [alert(alert_id, score=score) for alert_id, score in alerts]
        return commit(shared, Work(decided=[decided(name)], alerts=raised), [])

    assert raising("a", ("x", 0.5), ("y", 0.5)) == ["x", "y"]
    assert raising("b", ("y", 0.9), ("z", 0.1), ("x", 0.2)) == ["z"]
    assert [(each.alert_id, each.score, each.hits) for each in shared.alerts.between(0, 9_999)] == [
        ("x", 0.5, 2),
        ("y", 0.9, 2),
        ("z", 0.1, 1),
    ]


def test_filling_replaces_what_was_there_and_nobody_writes_over_it(shared: SharedStore) -> None:
    before = parts(shared, CARD)[0]
    commit(shared, work("a"), [(before, b"old")])
    stale = parts(shared, CARD)[0]
    shared.entities.fill("g1", [(*CARD, b"new"), (*SHOP, b"shop")], clock=7)
    card, shop = parts(shared, CARD, SHOP)
    assert (card.state, shop.state, card.clock, shop.clock) == (b"new", b"shop", 7, 7)
    with pytest.raises(Contended):
        commit(shared, work("b"), [(stale, b"older")])
    commit(shared, work("b"), [(card, b"newer")])
    assert seqs(shared)["b"] == 8


def test_many_entities_are_filled_and_loaded_at_once(shared: SharedStore) -> None:
    names = [("card", f"c-{n}") for n in range(250)]
    shared.entities.fill("g1", ((*name, name[1].encode()) for name in names), clock=1)
    assert [part.state for part in parts(shared, *names)] == [key.encode() for _, key in names]


def test_what_comes_into_a_window_that_has_ended_marks_it(shared: SharedStore) -> None:
    commit(shared, Work(decided=[decided("on-time", 5)]), [])
    assert shared.marks.all() == []
    commit(shared, Work(decided=[decided("a", 5), *late("b", "c")]), [])
    ((start, first),) = shared.marks.all()
    assert start == SEALED
    commit(shared, Work(decided=late("d")), [])
    ((_, second),) = shared.marks.all()
    assert second > first
    shared.marks.clear(start, first)
    assert shared.marks.all() == [(start, second)]
    shared.marks.clear(start, second)
    assert shared.marks.all() == []


def late(*names: str) -> list[Decided]:
    """Transactions of the second window, decided as it ends."""
    found = [decided(name, SEALED + 1) for name in names]
    return [(*pair, replace(decision, decided_at=2 * SEALED)) for *pair, decision in found]  # type: ignore[misc]


def test_workers_that_meet_on_one_entity_count_everything_once(shared: SharedStore) -> None:
    workers, each = 4, 5
    started = Barrier(workers)

    def worker(number: int) -> None:
        started.wait()
        for turn in range(each):
            until_added(shared, f"{number}-{turn}")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(worker, range(workers)))
    counted = 0
    for _ in range(3):
        (part,) = parts(shared, CARD)
        counted = sum(int(state) for state in (part.state, *part.others) if state is not None)
        assert counted == workers * each
    assert sorted(seqs(shared)) == sorted(f"{n}-{turn}" for n in range(workers) for turn in range(each))


def add_one(shared: SharedStore, name: str) -> None:
    (part,) = parts(shared, CARD)
    commit(shared, work(name), [(part, b"%d" % (int(part.state or 0) + 1))])


def until_added(shared: SharedStore, name: str) -> None:
    for _ in range(500):
        with suppress(Contended):
            add_one(shared, name)
            return
    raise AssertionError("never done")
