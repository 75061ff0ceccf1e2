"""What every store of deliveries does."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import ONE_WORKER, Store
from tests.contracts.samples import alert, failure

pytestmark = ONE_WORKER  # on AWS, API Gateway and SNS do this


@pytest.fixture
def raised(store: Store) -> Store:
    store.alerts.add([alert("b"), alert("a"), alert("c")])
    return store


def test_a_channel_that_never_ran_has_no_position(raised: Store) -> None:
    assert raised.deliveries.position("mail") is None
    raised.deliveries.advance("mail", 0, {})
    raised.deliveries.advance("hook", 2, {})
    assert raised.deliveries.position("mail") == 0
    assert raised.deliveries.position("hook") == 2


def test_a_channel_never_goes_back(raised: Store) -> None:
    raised.deliveries.advance("mail", 2, {})
    raised.deliveries.advance("mail", 2, {})
    with pytest.raises(ValueError, match="beyond 1"):
        raised.deliveries.advance("mail", 1, {"a": (failure(5), 10)})
    assert raised.deliveries.position("mail") == 2
    assert raised.deliveries.due("mail", 99) == []


def test_what_failed_is_due_when_its_next_attempt_is_on_its_channel(raised: Store) -> None:
    failed = {"a": (failure(5), 10), "b": (failure(5), 10), "c": (failure(6), 8)}
    raised.deliveries.advance("mail", 3, failed)
    assert raised.deliveries.due("mail", 7) == []
    assert raised.deliveries.due("mail", 9) == [(alert("c"), (failure(6),))]
    assert [each.alert_id for each, _ in raised.deliveries.due("mail", 10)] == ["c", "b", "a"]
    assert raised.deliveries.due("hook", 99) == []


def test_an_alert_is_delivered_as_it_now_is(raised: Store) -> None:
    raised.deliveries.advance("mail", 3, {"a": (failure(5), 10)})
    raised.alerts.add([alert("a", score=0.9)])
    assert raised.deliveries.due("mail", 10) == [(alert("a", score=0.9, hits=2), (failure(5),))]


def test_what_is_delivered_at_last_is_owed_no_more(raised: Store) -> None:
    raised.deliveries.advance("mail", 3, {"a": (failure(5), 10), "b": (failure(5), 10)})
    raised.deliveries.settle("mail", "a", None, None)
    raised.deliveries.settle("mail", "never-failed", None, None)
    assert [each.alert_id for each, _ in raised.deliveries.due("mail", 99)] == ["b"]
    assert raised.deliveries.dead() == []


def test_each_attempt_that_fails_is_remembered(raised: Store) -> None:
    raised.deliveries.advance("mail", 3, {"a": (failure(5), 10)})
    raised.deliveries.settle("mail", "a", failure(11, "refused"), 20)
    assert raised.deliveries.due("mail", 19) == []
    assert raised.deliveries.due("mail", 20) == [(alert("a"), (failure(5), failure(11, "refused")))]


def test_what_is_given_up_is_dead_with_all_its_failures(raised: Store) -> None:
    raised.deliveries.advance("mail", 3, {"a": (failure(5), 10), "b": (failure(5), None)})
    raised.deliveries.settle("mail", "a", failure(11), None)
    raised.deliveries.advance("hook", 3, {"c": (failure(7), None)})
    assert raised.deliveries.due("mail", 99) == []
    assert raised.deliveries.dead() == [
        ("hook", alert("c"), (failure(7),)),
        ("mail", alert("b"), (failure(5),)),
        ("mail", alert("a"), (failure(5), failure(11))),
    ]


def test_redriving_tries_again_once_what_was_given_up(raised: Store) -> None:
    failed = {"a": (failure(5), None), "b": (failure(5), 90)}
    raised.deliveries.advance("mail", 3, failed)
    raised.deliveries.advance("hook", 3, failed)
    assert raised.deliveries.redrive("mail", ["a", "a", "b", "nobody"], now=50) == 1
    assert raised.deliveries.redrive("mail", ["a"], now=60) == 0
    assert raised.deliveries.due("mail", 50) == [(alert("a"), ())]
    assert raised.deliveries.dead() == [("hook", alert("a"), (failure(5),))]
