"""What every queue does."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from shroff.ports import Entry, Message, Queue, Receipt
from tests.contracts.conftest import ONE_WORKER, Adapter
from tests.contracts.samples import entry


def statuses(receipts: list[Receipt]) -> list[str]:
    return [each.status for each in receipts]


def test_a_new_queue_is_empty(queue: Queue) -> None:
    assert queue.last() == 0
    assert queue.read(0, 10) == []
    assert queue.ids(0, 10) == []
    assert queue.find("a") is None


@ONE_WORKER
def test_entries_are_accepted_in_their_order_and_numbered_from_one(queue: Queue) -> None:
    receipts = queue.append([entry("b", b"1"), entry("a", b"2")])
    assert receipts == [
        Receipt(transaction_id="b", message_id="m-000000000001", status="accepted"),
        Receipt(transaction_id="a", message_id="m-000000000002", status="accepted"),
    ]
    assert queue.read(0, 10) == [
        Message(seq=1, transaction_id="b", body=b"1", received_at=7),
        Message(seq=2, transaction_id="a", body=b"2", received_at=7),
    ]
    assert queue.ids(0, 10) == [(1, "b"), (2, "a")]


def test_nothing_appended_is_nothing_changed(queue: Queue) -> None:
    assert queue.append([]) == []
    assert queue.last() == 0


def test_equal_content_is_answered_with_the_first_receipt(queue: Queue) -> None:
    _, first = queue.append([entry("other"), entry("a", b"1", received_at=7)])
    assert queue.append([entry("a", b"1", received_at=8)]) == [replace(first, status="repeated")]
    found = queue.find("a")
    assert found is not None
    assert found.received_at == 7


def test_other_content_is_a_conflict_and_changes_nothing(queue: Queue) -> None:
    queue.append([entry("a", b"1")])
    assert statuses(queue.append([entry("a", b"2")])) == ["conflict"]
    assert [name for _, name in queue.ids(0, 10)] == ["a"]
    found = queue.find("a")
    assert found is not None
    assert (found.transaction_id, found.body, found.received_at) == ("a", b"1", 7)


def test_an_id_that_comes_twice_at_once_is_accepted_once(queue: Queue) -> None:
    receipts = queue.append([entry("a", b"1"), entry("a", b"1"), entry("a", b"2"), entry("b", b"3")])
    assert statuses(receipts) == ["accepted", "repeated", "conflict", "accepted"]
    first, *_, other = [each.message_id for each in receipts]
    assert [each.message_id for each in receipts] == [first, first, first, other]
    assert first != other


@ONE_WORKER
def test_repetitions_leave_no_gaps(queue: Queue) -> None:
    queue.append([entry("a")])
    receipts = queue.append([entry("a"), entry("b"), entry("a"), entry("c")])
    assert statuses(receipts) == ["repeated", "accepted", "repeated", "accepted"]
    assert queue.ids(0, 10) == [(1, "a"), (2, "b"), (3, "c")]
    assert queue.last() == 3


@ONE_WORKER
def test_reading_goes_on_after_a_place_and_stops_at_the_limit(queue: Queue) -> None:
    queue.append([entry(name) for name in "abcde"])
    assert [each.transaction_id for each in queue.read(1, 3)] == ["b", "c", "d"]
    assert queue.ids(4, 3) == [(5, "e")]
    assert queue.read(5, 3) == []


def test_what_was_received_later_is_read_later(queue: Queue) -> None:
    queue.append([entry(name, name.encode(), received_at=at) for at, name in enumerate("ecadb", 10)])
    places = {name: seq for seq, name in queue.ids(0, 10)}
    assert sorted(places, key=places.__getitem__) == list(places) == list("ecadb")
    assert [each.body for each in queue.read(places["e"], 2)] == [b"c", b"a"]
    assert queue.ids(places["d"], 9) == [(queue.last(), "b")]
    assert queue.read(places["b"], 9) == []


@pytest.mark.parametrize("new", [50, 300])
def test_more_entries_than_one_statement_can_name_are_compared(adapter: Adapter, new: int) -> None:
    count, queue = min(1_250, adapter.many), adapter.queue()
    entries = [entry(f"txn-{number}", b"%d" % number) for number in range(count + new)]
    queue.append(entries[:count])
    assert statuses(queue.append(entries)) == ["repeated"] * count + ["accepted"] * new


def test_any_text_is_an_id(queue: Queue) -> None:
    names = ["a\x00b", "a", "'; DROP TABLE messages; --", "Zoë", "日本", "A", " a"]
    queue.append([entry(name, name.encode()) for name in names])
    assert statuses(queue.append([entry(name, name.encode()) for name in names])) == ["repeated"] * len(names)
    assert sorted(name for _, name in queue.ids(0, 10)) == sorted(names)


class Appending(RuleBasedStateMachine):
    """Appends of few ids and few bodies, so that most of them meet, against a dict."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self.queue = queue
        self.accepted: dict[str, bytes] = {}
        self.names: dict[str, str] = {}

    @rule(
        entries=st.lists(
            st.builds(entry, st.sampled_from("abcdef"), st.sampled_from([b"1", b"2"])), max_size=9
        )
    )
    def append(self, entries: list[Entry]) -> None:
        receipts = self.queue.append(entries)
        assert receipts == [self.expected(each) for each in zip(entries, receipts, strict=True)]
        assert len(set(self.names.values())) == len(self.names)

    def expected(self, pair: tuple[Entry, Receipt]) -> Receipt:
        each, receipt = pair
        new = each.transaction_id not in self.accepted
        body = self.accepted.setdefault(each.transaction_id, each.body)
        return Receipt(
            transaction_id=each.transaction_id,
            message_id=self.names.setdefault(each.transaction_id, receipt.message_id),
            status="accepted" if new else "repeated" if body == each.body else "conflict",
        )

    @invariant()
    def holds_what_was_accepted(self) -> None:
        held = self.queue.read(0, 100)
        assert {each.transaction_id: each.body for each in held} == self.accepted
        assert len(held) == len(self.accepted)
        assert self.queue.ids(0, 100) == [(each.seq, each.transaction_id) for each in held]


def test_any_appends_end_as_in_a_dict(adapter: Adapter) -> None:
    class Fresh(Appending):
        def __init__(self) -> None:
            super().__init__(adapter.queue())

    run_state_machine_as_test(
        Fresh, settings=settings(max_examples=min(40, adapter.many // 50), stateful_step_count=12)
    )
