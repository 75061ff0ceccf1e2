from __future__ import annotations

import pytest

from shroff.adapters.memory import MemoryStore
from shroff.adapters.notify import WebhookChannel
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected, Retryable
from shroff.flows.notify import BACKOFF, Notified, begin, notify
from tests.notify.conftest import alert

NOW = 1_700_000_000_000


class Channel:
    """Takes all alerts but those it was told to fail, and remembers every attempt."""

    def __init__(self, name: str = "test") -> None:
        self.name = name
        self.fails: dict[str, Exception] = {}
        self.tried: list[str] = []

    def send(self, alert: Alert) -> None:
        self.tried.append(alert.alert_id)
        if "all" in self.fails:
            raise self.fails["all"]
        if alert.alert_id in self.fails:
            raise self.fails[alert.alert_id]


def ids(*numbers: int) -> list[str]:
    return [f"alert-{number:04d}" for number in numbers]


def store_with(count: int, *channels: str) -> MemoryStore:
    """Alerts 1 … count, raised after the channels were first configured."""
    store = MemoryStore()
    for name in channels or ("test",):
        store.deliveries.advance(name, 0, {})
    store.alerts.add([alert(number) for number in range(1, count + 1)])
    return store


def run(channel: Channel, store: MemoryStore, now: int = NOW, limit: int = 100) -> Notified:
    return notify(channel, store.alerts, store.deliveries, now, limit)


def test_a_new_channel_is_told_of_the_next_alert_and_not_of_history():
    store, channel = MemoryStore(), Channel()
    store.alerts.add([alert(1), alert(2)])
    begin(channel, store.alerts, store.deliveries)
    store.alerts.add([alert(3)])
    begin(channel, store.alerts, store.deliveries)
    assert run(channel, store).sent == 1
    assert channel.tried == ids(3)


def test_every_alert_is_told_once_in_the_order_of_raising():
    store, channel = store_with(25), Channel()
    assert [run(channel, store, limit=12).sent for _ in range(4)] == [12, 12, 1, 0]
    assert channel.tried == ids(*range(1, 26))


def test_one_that_fails_does_not_hold_up_the_others_and_is_tried_again():
    store, channel = store_with(3), Channel()
    channel.fails = {"alert-0002": Retryable("busy")}
    assert run(channel, store) == Notified(sent=2, failed=1)
    assert run(channel, store, NOW + BACKOFF[0] - 1) == Notified()
    channel.fails = {}
    assert run(channel, store, NOW + BACKOFF[0]) == Notified(sent=1)
    assert channel.tried == ids(1, 2, 3, 2)
    assert run(channel, store, NOW + 10**9) == Notified()


def test_after_six_attempts_with_growing_pauses_it_is_given_up_with_all_failures():
    store, channel = store_with(1), Channel()
    channel.fails = {"all": Retryable("busy")}
    moments = [NOW]
    for pause in BACKOFF:
        moments.append(moments[-1] + pause)
    for now in moments[:-1]:
        assert run(channel, store, now) == Notified(failed=1)
        assert run(channel, store, now) == Notified()
    assert run(channel, store, moments[-1]) == Notified(given_up=1)
    ((name, dead, failures),) = store.deliveries.dead()
    assert (name, dead.alert_id) == ("test", "alert-0001")
    assert [(failure.at, failure.cause) for failure in failures] == [(now, "busy") for now in moments]
    assert run(channel, store, NOW + 10**9) == Notified()


def test_what_will_never_pass_is_given_up_at_once():
    store, channel = store_with(2), Channel()
    channel.fails = {"alert-0001": Rejected([Fault("webhook", "answered 404")])}
    assert run(channel, store) == Notified(sent=1, given_up=1)
    ((_, _, failures),) = store.deliveries.dead()
    assert [failure.cause for failure in failures] == ["answered 404"]


def test_what_was_given_up_and_is_redriven_has_all_its_attempts_again():
    store, channel = store_with(1), Channel()
    channel.fails = {"all": Rejected([Fault("webhook", "answered 404")])}
    run(channel, store)
    assert store.deliveries.redrive("test", ids(1), NOW + 1) == 1
    channel.fails = {"all": Retryable("busy")}
    assert run(channel, store, NOW + 1) == Notified(failed=1)
    channel.fails = {}
    assert run(channel, store, NOW + 1 + BACKOFF[0]) == Notified(sent=1)
    assert store.deliveries.dead() == []


def test_a_channel_that_is_down_ends_its_pass_soon_and_loses_nothing():
    store, channel = store_with(50), Channel()
    channel.fails = {"all": Retryable("nobody there")}
    assert run(channel, store) == Notified(failed=3, down=True)
    assert run(channel, store, NOW + BACKOFF[0]) == Notified(failed=3, down=True)
    assert channel.tried == ids(1, 2, 3, 1, 2, 3)
    channel.fails = {}
    assert run(channel, store, NOW + 10**6) == Notified(sent=50)
    assert sorted(channel.tried[6:]) == ids(*range(1, 51))


def test_a_dead_channel_does_not_hold_up_another():
    store, dead, alive = store_with(5, "dead", "alive"), Channel("dead"), Channel("alive")
    dead.fails = {"all": Retryable("nobody there")}
    assert run(dead, store).sent == 0
    assert run(alive, store).sent == 5
    assert store.deliveries.dead() == []


def test_a_crash_repeats_at_most_ten_and_skips_none():
    class Crash(Exception):
        """The process is gone: nothing is remembered from here on."""

    store, channel = store_with(40), Channel()
    advance = store.deliveries.advance
    moves = 0

    def dying(*arguments):
        nonlocal moves
        moves += 1
        if moves > 2:
            raise Crash
        advance(*arguments)

    store.deliveries.advance = dying  # type: ignore[method-assign]
    with pytest.raises(Crash):
        run(channel, store)
    store.deliveries.advance = advance  # type: ignore[method-assign]
    run(channel, store)
    assert channel.tried == ids(*range(1, 31)) + ids(*range(21, 41))


def test_a_bug_in_a_channel_is_not_hidden_and_does_not_stop_it_for_ever():
    store, channel = store_with(3), Channel()
    channel.fails = {"alert-0002": ZeroDivisionError()}
    with pytest.raises(ZeroDivisionError):
        run(channel, store)
    assert run(channel, store) == Notified(sent=1)
    with pytest.raises(ZeroDivisionError):
        run(channel, store, NOW + BACKOFF[0])
    channel.fails = {}
    assert run(channel, store, NOW + BACKOFF[0] + BACKOFF[1]) == Notified(sent=1)
    assert channel.tried == ids(1, 2, 3, 2, 2)


def test_an_alert_that_is_told_again_has_the_same_id_for_the_receiver(receiver):
    store, hook = store_with(1, "webhook"), WebhookChannel(receiver.url, "secret")
    receiver.status = 503
    assert notify(hook, store.alerts, store.deliveries, NOW).failed == 1
    receiver.status = 200
    assert notify(hook, store.alerts, store.deliveries, NOW + BACKOFF[0]).sent == 1
    assert [headers["X-Shroff-Alert"] for _, headers, _ in receiver.posted] == ids(1, 1)
