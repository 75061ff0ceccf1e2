"""What every registry of models does."""

from __future__ import annotations

from random import Random

from shroff.ports import Registration
from tests.contracts.conftest import Store


def test_nothing_is_registered_at_first(store: Store) -> None:
    assert store.models.all() == []
    assert store.models.document("m1") is None
    assert not store.models.retire("m1", 10)


def test_a_model_is_listed_and_its_document_comes_back_as_it_was(store: Store) -> None:
    made = store.models.add("m1", "mørke penge", b'{"trees":[]}', 10)
    assert made == Registration(version="m1", name="mørke penge", added_at=10)
    assert store.models.all() == [made]
    assert store.models.document("m1") == b'{"trees":[]}'


def test_models_are_listed_from_the_oldest_on(store: Store) -> None:
    for version, at in (("b", 20), ("c", 10), ("a", 20)):
        store.models.add(version, version, b"{}", at)
    assert [each.version for each in store.models.all()] == ["c", "a", "b"]


def test_adding_a_model_again_changes_nothing(store: Store) -> None:
    first = store.models.add("m1", "first", b"one", 10)
    assert store.models.add("m1", "again", b"one", 20) == first
    assert store.models.all() == [first]


def test_a_large_model_comes_back_whole(store: Store) -> None:
    document = Random(1).randbytes(900_000)  # nothing to compress: more than an item of DynamoDB has room for
    store.models.add("large", "large", document, 10)
    assert store.models.document("large") == document


def test_a_retired_model_is_kept_and_says_since_when(store: Store) -> None:
    store.models.add("m1", "first", b"one", 10)
    assert store.models.retire("m1", 20)
    assert not store.models.retire("m1", 30)
    assert store.models.all() == [Registration(version="m1", name="first", added_at=10, retired_at=20)]
    assert store.models.document("m1") == b"one"


def test_adding_a_retired_model_brings_it_back(store: Store) -> None:
    first = store.models.add("m1", "first", b"one", 10)
    store.models.retire("m1", 20)
    assert store.models.add("m1", "first", b"one", 30) == first
    assert store.models.all() == [first]
