"""Group commit, with a queue that the test holds in its hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from threading import Event

import pytest

from shroff.api.gateway.answers import FULL, STOPPING, Refused
from shroff.api.gateway.committer import Broken, Committer
from shroff.core.errors import Retryable
from shroff.ports import Entry, Receipt


class Gate:
    """Appends only once it is opened, and keeps what came in which group."""

    def __init__(self) -> None:
        self.open = Event()
        self.entered = Event()
        self.groups: list[list[str]] = []
        self.error: Exception | None = None

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        self.entered.set()
        assert self.open.wait(10)
        self.groups.append([each.transaction_id for each in entries])
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return [
            Receipt(
                transaction_id=each.transaction_id, message_id=f"m-{each.transaction_id}", status="accepted"
            )
            for each in entries
        ]


def entries(*names: str) -> list[Entry]:
    return [Entry(transaction_id=name, body=b"{}", received_at=0) for name in names]


def run(
    test: Callable[[Committer, Gate], Awaitable[None]], most_pending: int = 100
) -> tuple[Gate, list[int]]:
    gate = Gate()
    sizes: list[int] = []
    committer = Committer(gate.append, most_pending, sizes.append)

    async def main() -> None:
        committer.start(asyncio.get_running_loop())
        try:
            await test(committer, gate)
        finally:
            gate.open.set()
            await asyncio.to_thread(committer.stop)
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), 20))
    return gate, sizes


async def under_way(gate: Gate) -> None:
    await asyncio.to_thread(gate.entered.wait, 10)


def names(receipts: Sequence[Receipt]) -> list[str]:
    return [each.transaction_id for each in receipts]


def test_what_gathers_during_an_append_shares_the_next_one():
    async def story(committer: Committer, gate: Gate) -> None:
        first = committer.submit(entries("a"))
        await under_way(gate)
        others = [committer.submit(entries(*group)) for group in ("b", "cd", "e")]
        gate.open.set()
        assert [names(each) for each in await asyncio.gather(first, *others)] == [
            ["a"],
            ["b"],
            ["c", "d"],
            ["e"],
        ]

    gate, sizes = run(story)
    assert gate.groups == [["a"], ["b", "c", "d", "e"]]
    assert sizes == [1, 4]


def test_nothing_is_answered_before_the_append_returned():
    async def story(committer: Committer, gate: Gate) -> None:
        future = committer.submit(entries("a"))
        await under_way(gate)
        await asyncio.sleep(0.05)
        assert not future.done()
        gate.open.set()
        assert names(await future) == ["a"]

    run(story)


def test_a_cancelled_request_leaves_the_others_of_its_group_theirs():
    async def story(committer: Committer, gate: Gate) -> None:
        first = committer.submit(entries("a"))
        await under_way(gate)
        cancelled, kept = committer.submit(entries("b", "c")), committer.submit(entries("d"))
        cancelled.cancel()
        gate.open.set()
        assert names(await kept) == ["d"]
        assert names(await first) == ["a"]

    assert run(story)[0].groups == [["a"], ["b", "c", "d"]]


@pytest.mark.parametrize(("error", "told"), [(Retryable("full"), Retryable), (KeyError("bug"), Broken)])
def test_a_failed_append_is_told_to_its_whole_group_and_the_next_one_is_tried(
    error: Exception, told: type[Exception]
):
    async def story(committer: Committer, gate: Gate) -> None:
        gate.error = error
        gate.open.set()
        failed = await asyncio.gather(committer.submit(entries("a")), return_exceptions=True)
        assert [type(each) for each in failed] == [told]
        assert names(await committer.submit(entries("b"))) == ["b"]

    assert run(story)[1] == [1]


def test_an_append_with_too_few_receipts_is_a_bug_and_accepts_nothing():
    async def story(committer: Committer, gate: Gate) -> None:
        gate.open.set()
        committer._append = lambda entries: []
        with pytest.raises(Broken):
            await committer.submit(entries("a"))

    run(story)


def test_more_than_may_be_pending_is_refused_until_there_is_room():
    async def story(committer: Committer, gate: Gate) -> None:
        first = committer.submit(entries("a", "b"))
        with pytest.raises(Refused) as refused:
            committer.submit(entries("c", "d"))
        assert refused.value.answer == FULL
        second = committer.submit(entries("c"))
        gate.open.set()
        await asyncio.gather(first, second)
        assert names(await committer.submit(entries("d", "e", "f"))) == ["d", "e", "f"]

    run(story, most_pending=3)


def test_a_stop_finishes_what_is_pending_and_takes_nothing_more():
    async def story(committer: Committer, gate: Gate) -> None:
        pending = [committer.submit(entries(name)) for name in "abc"]
        stopping = asyncio.create_task(asyncio.to_thread(committer.stop))
        await asyncio.sleep(0.05)  # until stop has been called, and waits for the append under way
        with pytest.raises(Refused) as refused:
            committer.submit(entries("d"))
        assert refused.value.answer == STOPPING
        gate.open.set()
        await stopping
        assert [names(each) for each in await asyncio.gather(*pending)] == [["a"], ["b"], ["c"]]

    run(story)
