"""What every store of dead letters does."""

from __future__ import annotations

from collections.abc import Iterator

from shroff.ports import Work
from tests.contracts.conftest import ONE_WORKER, Adapter, Store
from tests.contracts.samples import dead, dying, failure, in_commits, message, retrying, unplaced


def ids(store: Store) -> list[str]:
    return [letter.message.transaction_id for letter in store.dead_letters.all()]


def test_letters_come_oldest_first(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[dying("b", at=10)]))
    store.ledger.commit(Work(unsettled=[dying("a", at=20), dying("c", at=20)]))
    assert ids(store) == ["b", "a", "c"]


def test_a_letter_is_got_with_its_cause_attempts_and_times(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[dying("a", at=10)]))
    letter = store.dead_letters.get("a")
    assert letter is not None
    assert unplaced(letter.message) == unplaced(message("a", failure(9), failure(10)))
    assert letter.died_at == 10
    assert store.dead_letters.get("b") is None


@ONE_WORKER
def test_a_redriven_letter_is_due_at_once_from_a_first_attempt(store: Store) -> None:
    store.ledger.commit(dead("a", "b"))
    assert store.dead_letters.redrive(["a"], now=50) == 1
    assert store.ledger.due(49, 10) == []
    assert store.ledger.due(50, 10) == [message("a")]
    assert ids(store) == ["b"]
    assert store.ledger.fates(["a", "b"]) == {"a": "retrying", "b": "dead_lettered"}


@ONE_WORKER
def test_redriving_twice_does_nothing_twice(store: Store) -> None:
    store.ledger.commit(dead("a", "b"))
    assert store.dead_letters.redrive(["a", "a", "nobody"], now=50) == 1
    store.ledger.commit(Work(unsettled=[retrying("a", 90)]))
    assert store.dead_letters.redrive(["a"], now=60) == 0
    assert store.ledger.due(60, 10) == []


def test_a_letter_that_dies_again_is_the_newest(store: Store) -> None:
    store.ledger.commit(dead("a", "b"))
    store.dead_letters.redrive(["a"], now=50)
    store.ledger.commit(Work(unsettled=[dying("a", at=60)]))
    assert ids(store) == ["b", "a"]


def test_all_letters_can_be_redriven_while_they_are_listed(adapter: Adapter) -> None:
    count, store = min(600, adapter.many // 4), adapter.store()

    def die() -> None:
        for work in in_commits(dead(*(f"txn-{n:03}" for n in range(count)))):
            store.ledger.commit(work)

    def listed() -> Iterator[str]:
        return (letter.message.transaction_id for letter in store.dead_letters.all())

    die()
    assert sum(store.dead_letters.redrive([each], now=50) for each in listed()) == count
    die()
    assert store.dead_letters.redrive(listed(), now=50) == count
    assert ids(store) == []


@ONE_WORKER
def test_an_edited_letter_is_redriven_with_its_new_body(store: Store) -> None:
    store.ledger.commit(dead("a"))
    assert store.dead_letters.edit("a", b'{"mended":true}')
    store.dead_letters.redrive(["a"], now=50)
    (due,) = store.ledger.due(50, 10)
    assert due.body == b'{"mended":true}'


def test_an_edited_letter_has_its_new_body(store: Store) -> None:
    store.ledger.commit(dead("a"))
    assert store.dead_letters.edit("a", b'{"mended":true}')
    letter = store.dead_letters.get("a")
    assert letter is not None
    assert letter.message.body == b'{"mended":true}'


def test_a_redriven_letter_is_one_no_more(store: Store) -> None:
    store.ledger.commit(dead("a", "b"))
    assert store.dead_letters.redrive(["a", "a", "nobody"], now=50) == 1
    assert store.dead_letters.redrive(["a"], now=60) == 0
    assert ids(store) == ["b"]
    assert store.ledger.fates(["a", "b"]) == {"a": "retrying", "b": "dead_lettered"}


def test_what_is_no_dead_letter_cannot_be_edited(store: Store) -> None:
    store.ledger.commit(Work(unsettled=[retrying("a", 10)]))
    assert not store.dead_letters.edit("a", b"{}")
    assert not store.dead_letters.edit("nobody", b"{}")
    assert store.dead_letters.get("a") is None
    assert store.ledger.fates(["a"]) == {"a": "retrying"}


def test_a_discarded_letter_stays_as_it_is(store: Store) -> None:
    store.ledger.commit(dead("a", "b"))
    assert store.dead_letters.discard(["a", "a", "nobody"]) == 1
    assert store.dead_letters.discard(["a"]) == 0
    assert store.dead_letters.redrive(["a"], now=50) == 0
    assert not store.dead_letters.edit("a", b"{}")
    assert [(unplaced(each.message), each.discarded) for each in store.dead_letters.all()] == [
        (unplaced(dying("a").message), True),
        (unplaced(dying("b").message), False),
    ]
    assert store.ledger.fates(["a"]) == {"a": "dead_lettered"}
