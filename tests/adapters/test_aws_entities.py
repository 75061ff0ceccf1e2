"""What is particular about commits on DynamoDB: lost answers, hot entities, what one can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.commit import Lost, Write, _codes, _refusal, transact
from shroff.adapters.aws.parts import MOST_SHARDS
from shroff.adapters.aws.store import AwsStore
from shroff.core.errors import Contended, Rejected, Repeated, Retryable, TooLarge
from shroff.ports import Part, Work
from tests.adapters.aws_cloud import cloud, session_clients
from tests.adapters.failing import failing, refusing
from tests.contracts.samples import alert, decided

Make = Callable[..., AwsStore]
CARD = ("card", "c-1")


@pytest.fixture
def make() -> Iterator[Make]:
    with cloud() as environment:
        yield environment


def work(*names: str) -> Work:
    return Work(decided=[decided(name) for name in names], alerts=[alert("x")])


def load(store: AwsStore) -> Part:
    (part,) = store.entities.load("g1", [CARD])
    return part


def commit(store: AwsStore, name: str, part: Part, state: bytes = b"1") -> None:
    store.entities.commit("g1", work(name), [(part, state)])


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_commit_without_an_answer_is_made_once_however_often_it_is_tried(make: Make, after: bool) -> None:
    store = make(failing(session_clients(), "dynamodb", "transact_write_items", after=after, times=2))
    for attempt in range(3):
        with suppress(Retryable):  # Repeated is one
            commit(store, "a", load(store), b"%d" % attempt)
    with pytest.raises(Repeated):
        commit(store, "a", load(store), b"4")
    (records,) = store.ledger.between(0, 9_999)
    assert [(each.seq, each.transaction.transaction_id) for each in records] == [(1, "a")]
    part = load(store)
    assert (part.version, part.clock) == (1, 1)
    assert part.state == (b"0" if after else b"2")
    assert [each.hits for each in store.alerts.between(0, 9_999)] == [1]


def test_an_entity_that_is_lost_again_and_again_is_split(make: Make) -> None:
    store = make()
    commit(store, "first", load(store), b"first")
    stale = load(store)
    commit(store, "second", stale, b"second")
    for attempt in range(3):
        assert load(store).others == ()
        with pytest.raises(Contended):
            commit(store, f"loser-{attempt}", stale)
    places = {part.place: part for part in (load(store) for _ in range(50))}
    assert sorted(places) == [0, 1]
    assert places[0].state == b"second"
    assert places[0].others == ()
    assert (places[1].state, places[1].version, places[1].others) == (None, 0, (b"second",))
    assert places[1].clock == 2, "what any part has seen"
    commit(store, "third", places[1], b"third")
    commit(store, "fourth", places[0], b"fourth")  # each part has its own writers
    found = {part.place: part for part in (load(store) for _ in range(50))}
    assert (found[0].state, found[0].others) == (b"fourth", (b"third",))
    assert (found[1].state, found[1].others) == (b"third", (b"fourth",))


def test_losses_between_successes_are_no_reason_to_split(make: Make) -> None:
    store = make()
    commit(store, "first", load(store))
    for attempt in range(4):
        stale = replace(load(store), version=99)
        for again in range(2):
            with pytest.raises(Contended):
                commit(store, f"loser-{attempt}-{again}", stale)
        commit(store, f"winner-{attempt}", load(store))
    assert {load(store).place for _ in range(50)} == {0}


def test_a_split_that_the_others_commits_refuse_is_tried_again_and_the_loss_stays_a_loss(make: Make) -> None:
    """AWS refuses a single write to an item that a transaction is writing: a hot entity's always is."""
    store = make(refusing(session_clients(), "dynamodb", "update_item", "TransactionConflictException"))
    commit(store, "first", load(store))
    stale = replace(load(store), version=99)
    for attempt in range(3):
        with pytest.raises(Lost):
            commit(store, f"loser-{attempt}", stale)
    assert {load(store).place for _ in range(50)} == {0}
    with pytest.raises(Lost):
        commit(store, "loser", stale)
    assert {load(store).place for _ in range(50)} == {0, 1}


@pytest.mark.parametrize("method", ["batch_get_item", "transact_write_items"])
def test_a_partition_that_is_asked_too_much_is_contention_and_no_failure(make: Make, method: str) -> None:
    store = make()
    part = load(store)
    clients = refusing(session_clients(), "dynamodb", method, "ProvisionedThroughputExceededException")
    crowded = AwsStore(clients, store.cloud.names, shards=3, clock=store.cloud.clock)
    with pytest.raises(Contended):
        commit(crowded, "a", load(crowded) if method == "batch_get_item" else part)
    commit(crowded, "a", load(crowded))


def test_an_entity_is_split_so_often_and_no_more(make: Make) -> None:
    store = make()
    commit(store, "first", load(store))
    stale = replace(load(store), version=99)
    for attempt in range(3 * 8):
        with pytest.raises(Contended):
            commit(store, f"loser-{attempt}", stale)
    assert max(load(store).place for _ in range(500)) == MOST_SHARDS - 1


def test_filling_forgets_the_parts_of_a_split_entity(make: Make) -> None:
    store = make()
    commit(store, "first", load(store))
    stale = replace(load(store), version=99)
    for attempt in range(3):
        with pytest.raises(Contended):
            commit(store, f"loser-{attempt}", stale)
    other = next(part for part in iter(lambda: load(store), None) if part.place == 1)
    commit(store, "second", other, b"second")
    store.entities.fill("g1", [(*CARD, b"whole")], clock=5)
    assert {(part.place, part.state, part.others) for part in (load(store) for _ in range(9))} == {
        (0, b"whole", ())
    }


def test_what_one_transaction_cannot_hold_is_not_sent(make: Make) -> None:
    store = make()
    many = Work(decided=[decided(f"txn-{n}") for n in range(100)])
    parts = store.entities.load("g1", [("card", f"c-{n}") for n in range(11)])
    with pytest.raises(TooLarge, match="101 writes"):
        store.entities.commit("g1", many, [(parts[0], b"1")])
    with pytest.raises(TooLarge, match="bytes"):
        store.entities.commit("g1", Work(), [(part, bytes(390_000)) for part in parts])
    assert store.ledger.fates(["txn-0"]) == {}
    store.entities.commit("g1", replace(many, decided=many.decided[:99]), [(parts[0], b"1")])
    assert len(store.ledger.fates([f"txn-{n}" for n in range(99)])) == 99


def test_an_entity_that_outgrows_its_item_is_named_and_nothing_is_written(make: Make) -> None:
    store = make()
    with pytest.raises(Rejected) as refused:
        commit(store, "a", load(store), bytes(420_000))
    (fault,) = refused.value.faults
    assert fault.problem.startswith("what is remembered of card c-1 is 420")
    assert fault.problem.endswith(
        " bytes, more than DynamoDB takes in one item: "
        "publish a policy with fewer distinct counts or windows on card"
    )
    assert (load(store).version, store.ledger.fates(["a"])) == (0, {})


TOO_HEAVY = {
    "Code": "ValidationError",
    "Message": "Item size to update has exceeded the maximum allowed size",
}


@pytest.mark.parametrize(
    ("reasons", "expected", "said"),
    [
        ([{"Code": "None"}, TOO_HEAVY], Rejected, "what is remembered of card c-1 is 4"),
        ([TOO_HEAVY, {"Code": "None"}], Rejected, "record a is "),
        ([{"Code": "ConditionalCheckFailed"}, TOO_HEAVY], Repeated, "decided before: a"),
        ([{"Code": "None"}, {**TOO_HEAVY, "Message": "Type mismatch"}], ClientError, "cancelled"),
        ([{"Code": "None"}, {"Code": "ValidationError"}], ClientError, "cancelled"),
    ],
)
def test_a_transaction_that_is_cancelled_for_an_items_size_names_it(
    reasons: list[dict[str, str]], expected: type[Exception], said: str
) -> None:
    writes = [
        Write(kind="record", about="a", request={"Put": {"Item": {"body": {"B": b"{}"}}}}),
        Write(kind="part", about="card c-1", request={"Update": {"Key": {"pk": {"S": "x" * 40}}}}),
    ]
    error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
    with pytest.raises(expected, match=said):
        transact(cancelling({"Error": error, "CancellationReasons": reasons}), writes)


def cancelling(response: dict[str, Any]) -> Clients:
    """Clients whose transactions are all refused with this."""

    def refuse(**_: Any) -> None:
        raise ClientError(response, "TransactWriteItems")

    clients = Clients()
    clients.__dict__["dynamodb"] = SimpleNamespace(transact_write_items=refuse)
    return clients


WRITES = [Write(kind=kind, about=kind, request={}) for kind in ("record", "alert", "part")]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["ConditionalCheckFailed", "None", "ConditionalCheckFailed"], Repeated),
        (["TransactionConflict", "None", "None"], Lost),
        (["None", "ConditionalCheckFailed", "None"], Lost),
        (["None", "None", "TransactionConflict"], Lost),
        (["None", "ThrottlingError", "None"], Lost),
        (["None", "TransactionConflict", "ProvisionedThroughputExceeded"], Lost),
        (["ConditionalCheckFailed", "None", "ThrottlingError"], Repeated),
        (["None", "InternalServerError", "ThrottlingError"], Retryable),
        (["None", "ValidationError", "None"], None),
        (["None", "None", "ItemCollectionSizeLimitExceeded"], None),
        ([], None),
    ],
)
def test_a_cancelled_transaction_says_why(codes: list[str], expected: type | None) -> None:
    refusal = _refusal(codes, WRITES)
    assert refusal is None if expected is None else type(refusal) is expected


def test_the_reasons_are_read_from_the_message_where_they_did_not_come_along() -> None:
    message = "Transaction cancelled, please refer [None, ConditionalCheckFailed] for specific reasons"
    without = ClientError({"Error": {"Code": "TransactionCanceledException", "Message": message}}, "x")
    assert _codes(without) == ["None", "ConditionalCheckFailed"]
    whole = {
        "Error": {"Message": ""},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}, {}],
    }
    assert _codes(ClientError(whole, "x")) == ["None", "TransactionConflict", "None"]
