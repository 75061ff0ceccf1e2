"""What every store of policies does."""

from __future__ import annotations

from shroff.ports import Publication
from tests.contracts.conftest import Store


def test_nothing_is_active_before_the_first_publication(store: Store) -> None:
    assert store.policies.active() is None
    assert store.policies.get("v1") is None
    assert store.policies.history() == []


def test_the_newest_publication_is_active(store: Store) -> None:
    first = store.policies.publish("v1", 'name = "first"', 10)
    second = store.policies.publish("v2", 'name = "zweite Fassung für Zoë"\n', 20)
    assert first == Publication(number=1, version="v1", document='name = "first"', published_at=10)
    assert second.number == 2
    assert store.policies.active() == second
    assert store.policies.get("v1") == first
    assert store.policies.history() == [first, second]


def test_rolling_back_is_publishing_the_earlier_version_again(store: Store) -> None:
    store.policies.publish("v1", "one", 10)
    store.policies.publish("v2", "two", 20)
    again = store.policies.publish("v1", "one", 30)
    assert again.number == 3
    assert store.policies.active() == store.policies.get("v1") == again
    assert [each.version for each in store.policies.history()] == ["v1", "v2", "v1"]
