"""What every alert log does."""

from __future__ import annotations

from shroff.core.alert import Alert
from tests.contracts.conftest import ONE_WORKER, Store
from tests.contracts.samples import alert


def kept(store: Store) -> list[Alert]:
    return store.alerts.between(0, 9_999)


@ONE_WORKER
def test_alerts_are_logged_in_the_order_of_raising(store: Store) -> None:
    assert store.alerts.last() == 0
    assert store.alerts.add([alert("b"), alert("a")]) == 2
    assert store.alerts.add([alert("c")]) == 1
    assert store.alerts.after(0, 10) == [(1, alert("b")), (2, alert("a")), (3, alert("c"))]
    assert store.alerts.after(1, 1) == [(2, alert("a"))]
    assert store.alerts.after(3, 10) == []
    assert store.alerts.last() == 3


@ONE_WORKER
def test_an_alert_raised_again_keeps_its_place_and_counts_its_hits(store: Store) -> None:
    store.alerts.add([alert("a", score=0.9, hits=2), alert("b")])
    assert store.alerts.add([alert("a", score=0.5, hits=3, occurred_at=5_000)]) == 0
    assert store.alerts.after(0, 10) == [(1, alert("a", score=0.9, hits=5)), (2, alert("b"))]


def test_the_score_is_the_highest_of_the_hits(store: Store) -> None:
    store.alerts.add([alert("a", score=0.5)])
    store.alerts.add([alert("a", score=0.9)])
    assert kept(store) == [alert("a", score=0.9, hits=2)]
    store.alerts.add([alert("a", score=0.7, hits=3, occurred_at=5_000)])
    assert kept(store) == [alert("a", score=0.9, hits=5)]


def test_a_sweep_that_finds_the_same_again_changes_nothing(store: Store) -> None:
    store.alerts.add([alert("a")], count_hits=False)
    assert store.alerts.add([alert("a", score=0.9), alert("b"), alert("b")], count_hits=False) == 1
    assert kept(store) == [alert("a"), alert("b")]


def test_alerts_raised_twice_at_once_are_one(store: Store) -> None:
    assert store.alerts.add([alert("a"), alert("a", score=0.7)]) == 1
    assert kept(store) == [alert("a", score=0.7, hits=2)]


@ONE_WORKER
def test_repetitions_leave_no_gaps_between_positions(store: Store) -> None:
    store.alerts.add([alert("a")])
    store.alerts.add([alert("a"), alert("b"), alert("a"), alert("c")])
    assert [(position, each.alert_id) for position, each in store.alerts.after(0, 10)] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
    ]


def test_alerts_of_a_window_are_half_open_by_time_then_id(store: Store) -> None:
    late, b, a, early = (alert(n, occurred_at=t) for n, t in (("l", 30), ("b", 10), ("a", 10), ("e", 9)))
    store.alerts.add([late, b, a, early])
    assert store.alerts.between(10, 30) == [a, b]
    assert store.alerts.between(9, 31) == [early, a, b, late]
