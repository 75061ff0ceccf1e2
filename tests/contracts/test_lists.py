"""What every store of allowlists and blocklists does."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.conftest import Adapter, Store


def test_a_value_is_a_member_of_its_list_only(store: Store) -> None:
    assert store.lists.add("blocked", [("a", None), ("b", None)]) == 2
    store.lists.add("allowed", [("c", None)])
    assert store.lists.members("blocked", ["a", "c", "d"], now=0) == {"a"}
    assert store.lists.members("nobody", ["a"], now=0) == set()
    assert store.lists.counts() == {"blocked": 2, "allowed": 1}


def test_a_value_is_a_member_until_it_expires(store: Store) -> None:
    store.lists.add("blocked", [("a", 100)])
    assert store.lists.members("blocked", ["a"], now=99) == {"a"}
    assert store.lists.members("blocked", ["a"], now=100) == set()


def test_a_value_added_again_takes_the_new_expiry(store: Store) -> None:
    store.lists.add("blocked", [("a", 100), ("b", None)])
    assert store.lists.add("blocked", [("a", None), ("b", 50)]) == 2
    assert store.lists.members("blocked", ["a", "b"], now=100) == {"a"}
    assert store.lists.counts() == {"blocked": 2}


def test_removing_tells_how_many_were_there(store: Store) -> None:
    store.lists.add("blocked", [("a", None), ("b", None)])
    assert store.lists.remove("blocked", ["a", "a", "nobody"]) == 1
    assert store.lists.remove("nobody", ["a"]) == 0
    assert list(store.lists.entries("blocked")) == [("b", None)]


def test_a_list_without_entries_is_no_list(store: Store) -> None:
    store.lists.add("empty", [])
    store.lists.add("blocked", [("a", None)])
    store.lists.remove("blocked", ["a"])
    assert store.lists.counts() == {}


def test_a_long_list_is_kept_whole_and_in_order(adapter: Adapter) -> None:
    count, store = min(45_000, 6 * adapter.many), adapter.store()
    given_ = [(f"cust-{n:06}", n if n % 2 else None) for n in range(count)]
    assert store.lists.add("blocked", reversed(given_)) == count
    assert list(store.lists.entries("blocked")) == given_
    asked = [value for value, _ in given_[:2_000]] + ["nobody"]
    assert store.lists.members("blocked", asked, now=1_000) == {
        value for value, expires_at in given_[:2_000] if expires_at is None or expires_at > 1_000
    }


ENTRIES = st.lists(st.tuples(st.text(max_size=3), st.none() | st.integers(0, 9)), max_size=9)


@given(
    before=ENTRIES, added=ENTRIES, removed=st.lists(st.text(max_size=3), max_size=5), now=st.integers(0, 9)
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_is_as_a_dict(adapter: Adapter, before, added, removed, now) -> None:
    lists, model = adapter.store().lists, dict(before) | dict(added)
    lists.add("any", before)
    lists.add("any", added)
    assert lists.remove("any", removed) == len(model.keys() & set(removed))
    left = {value: expires_at for value, expires_at in model.items() if value not in removed}
    assert list(lists.entries("any")) == sorted(left.items(), key=lambda entry: entry[0])
    assert lists.members("any", [*model], now) == {
        value for value, expires_at in left.items() if expires_at is None or expires_at > now
    }
