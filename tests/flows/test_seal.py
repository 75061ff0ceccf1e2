"""Sealing windows: whatever happens in whatever order, the archive tells what the ledger holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Semaphore, Thread
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shroff.adapters.aws.archive import ArchivedLedger
from shroff.adapters.memory import MemoryStore
from shroff.adapters.memory.chunks import MemoryChunks
from shroff.adapters.memory.marks import MemoryLateMarks
from shroff.codec import encode_transaction
from shroff.core.decision import Decision
from shroff.core.errors import Contended
from shroff.core.transaction import Transaction
from shroff.flows.seal import QUIET, seal
from shroff.ports import FOREVER, SEALED, Ledger, Message, Record, Work

WINDOWS = 3
WINDOW = st.sampled_from([0, 0, 0, *range(1, WINDOWS)])
LONGEST = 30_000
"""Milliseconds from a mark to the end of its commit: a consumer is not allowed more."""


class Place:
    """A ledger with its archive, and the rule of commits."""

    def __init__(self) -> None:
        self.ledger = MemoryStore().ledger
        self.chunks, self.marks = MemoryChunks(), MemoryLateMarks()
        self.archive = ArchivedLedger(self.ledger, self.chunks, self.marks)
        self.now = SEALED

    def begin(self, name: str, occurred_at: int) -> Work:
        """What is before the transaction: the mark of a window that has ended."""
        if self.now >= occurred_at // SEALED * SEALED + SEALED:
            self.marks.mark(occurred_at // SEALED * SEALED, self.now)
        transaction = Transaction(
            transaction_id=name, amount_minor=1, currency="EUR", occurred_at=occurred_at
        )
        body = encode_transaction(transaction)
        message = Message(seq=1, transaction_id=name, body=body, received_at=self.now)
        decision = Decision(
            transaction_id=name,
            outcome="approve",
            score=0.0,
            reasons=(),
            snapshot=b"",
            policy_version="v1",
            decided_at=self.now,
        )
        return Work(decided=[(message, transaction, decision)])

    def commit(self, name: str, occurred_at: int) -> None:
        self.ledger.commit(self.begin(name, occurred_at))

    def seal(self, start: int) -> int:
        return seal(start, self.ledger, self.chunks, self.marks, now=self.now)


def all_of(parts: Iterator[list[Record]]) -> list[Record]:
    return [record for part in parts for record in part]


class Interleaved(RuleBasedStateMachine):
    """Commits, sealings and readings step by step, any number of them under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self.names = 0
        self.commits: list[tuple[int, Work]] = []
        self.sealings: list[Iterator[None]] = []

    @initialize(now=st.sampled_from([SEALED, 2 * SEALED + 1_000, 9 * SEALED]))
    def it_is(self, now: int) -> None:
        self.place.now = now

    @rule(by=st.sampled_from([1, 20_000, LONGEST, QUIET + 1, SEALED]))
    def time_passes(self, by: int) -> None:
        """No commit takes longer than it may: those that would end first."""
        self.place.now += by
        for began, work in self.commits.copy():
            if began + LONGEST <= self.place.now:
                self._end(began, work)

    @rule(window=WINDOW, offset=st.sampled_from([0, 7, SEALED - 1]))
    def begin_a_commit(self, window: int, offset: int) -> None:
        occurred_at = min(window * SEALED + offset, self.place.now)
        self.commits.append((self.place.now, self.place.begin(f"t{self.names}", occurred_at)))
        self.names += 1

    @rule(which=st.integers(0))
    def end_a_commit(self, which: int) -> None:
        if self.commits:
            self._end(*self.commits[which % len(self.commits)])

    def _end(self, began: int, work: Work) -> None:
        self.commits.remove((began, work))
        self.place.ledger.commit(work)

    @rule(window=WINDOW, steps=st.integers(0, 9))
    def begin_a_sealing(self, window: int, steps: int) -> None:
        """Not before a commit that made no mark has ended, as the sweep's delay has it."""
        if self.place.now >= (window + 1) * SEALED + LONGEST:
            self.sealings.append(self._sealing(window * SEALED))
            self.go_on_with_a_sealing(-1, steps)

    @rule(which=st.integers(0), steps=st.integers(1, 9))
    def go_on_with_a_sealing(self, which: int, steps: int) -> None:
        if self.sealings:
            sealing = self.sealings[which % len(self.sealings)]
            for _ in range(steps):
                if next(sealing, "ended") == "ended":
                    self.sealings.remove(sealing)
                    break

    def _sealing(self, start: int) -> Iterator[None]:
        """The flow, held up between its reads and its writes: steps of a thread that waits for `go`."""
        steps = Steps()
        chunks, now = self.place.chunks, self.place.now
        ledger = cast("Ledger", Slow(self.place.ledger, steps))
        marks = SlowMarks(self.place.marks, steps)
        yield from steps.run(lambda: seal(start, ledger, chunks, marks, now=now))

    def teardown(self) -> None:
        for sealing in self.sealings:
            list(sealing)

    @invariant()
    def the_archive_tells_what_the_ledger_holds(self) -> None:
        place = self.place
        for start, end in ((0, WINDOWS * SEALED), (1, 3 * SEALED + 7), (SEALED, 2 * SEALED), (5, 5)):
            assert all_of(place.archive.between(start, end)) == all_of(place.ledger.between(start, end))


class Steps:
    """Runs a flow in a thread that stops wherever `stop` is called, until the next step."""

    def __init__(self) -> None:
        self._go, self._there, self._over = Semaphore(0), Semaphore(0), False

    def run(self, flow: Callable[[], object]) -> Iterator[None]:
        def whole() -> None:
            self._go.acquire()
            try:
                flow()
            except Contended:
                pass
            finally:
                self._over = True
                self._there.release()

        Thread(target=whole, daemon=True).start()
        while not self._over:
            self._go.release()
            self._there.acquire()
            yield

    def stop(self) -> None:
        self._there.release()
        self._go.acquire()


class Slow:
    """A ledger that is read at one moment and told of later."""

    def __init__(self, ledger: Ledger, steps: Steps) -> None:
        self._ledger, self._steps = ledger, steps

    def between(self, start: int, end: int) -> Iterator[list[Record]]:
        self._steps.stop()
        found = list(self._ledger.between(start, end))
        self._steps.stop()
        yield from found


class SlowMarks:
    def __init__(self, marks: MemoryLateMarks, steps: Steps) -> None:
        self._marks, self._steps = marks, steps

    def all(self, start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
        found = self._marks.all(start, end)
        self._steps.stop()
        return found

    def clear(self, start: int, number: int) -> None:
        self._steps.stop()
        self._marks.clear(start, number)


TestInterleaved = Interleaved.TestCase
TestInterleaved.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


def test_a_commit_between_the_reading_and_the_writing_of_a_chunk_is_not_lost() -> None:
    place = Place()
    place.commit("early", 10)
    place.now = 3 * SEALED

    class Late(MemoryChunks):
        def write(self, start, records):
            held = list(records)
            place.commit("late", 20)
            return super().write(start, held)

    assert seal(0, place.ledger, Late(), place.marks, now=place.now) == 1
    assert place.marks.all() == [(0, place.now)]
    assert len(all_of(place.archive.between(0, SEALED))) == 2


def test_a_mark_whose_commit_may_be_under_way_stays_until_it_cannot() -> None:
    place = Place()
    place.now = 3 * SEALED
    work = place.begin("late", 20)
    place.seal(0)
    place.ledger.commit(work)
    assert len(all_of(place.archive.between(0, SEALED))) == 1, "from the ledger"
    place.now += QUIET + 1
    assert place.seal(0) == 1
    assert place.marks.all() == []
    assert len(all_of(place.archive.between(0, SEALED))) == 1, "from the chunk"


def test_what_the_ledger_no_longer_keeps_stays_sealed() -> None:
    place = Place()
    for number in range(5):
        place.commit(f"t{number}", number)
    place.now = 3 * SEALED
    place.seal(0)
    place.ledger = MemoryStore().ledger
    place.commit("late", 2)
    assert place.seal(0) == 6
    assert [each.transaction.transaction_id for each in all_of(place.chunks.read(0) or iter(()))] == [
        "t0", "t1", "late", "t2", "t3", "t4",
    ]  # fmt: skip


def test_what_is_sealed_is_not_read_from_the_ledger_and_the_rest_in_as_few_queries_as_can_be() -> None:
    place, asked = Place(), list[tuple[int, int]]()

    class Counting:
        def between(self, start: int, end: int) -> Iterator[list[Record]]:
            asked.append((start, end))
            return place.ledger.between(start, end)

    place.now = 9 * SEALED
    for window in (1, 2, 5):
        place.seal(window * SEALED)
    place.marks.mark(2 * SEALED, place.now)
    archive = ArchivedLedger(Counting(), place.chunks, place.marks)  # type: ignore[arg-type]
    assert all_of(archive.between(7, 7 * SEALED + 9)) == []
    assert asked == [(7, SEALED), (2 * SEALED, 5 * SEALED), (6 * SEALED, 7 * SEALED + 9)]


def test_history_is_every_record_that_is_kept_anywhere() -> None:
    place = Place()
    place.now = 3 * SEALED
    for number in range(4):
        place.commit(f"t{number}", (3 - number) * SEALED)
    place.seal(0)
    place.seal(SEALED)
    found = all_of(place.archive.history())
    assert [each.seq for each in found] == [4, 3, 2, 1]
    assert [each.seq for each in all_of(place.archive.history(2))] == [4, 3]


def test_a_slow_sealing_does_not_undo_a_later_one() -> None:
    place = Place()
    place.now = 3 * SEALED
    place.seal(0)

    class Dozing:
        def between(self, start: int, end: int) -> Iterator[list[Record]]:
            found = list(place.ledger.between(start, end))
            place.commit("late", 20)
            place.now += QUIET + 1
            assert place.seal(0) == 1
            assert place.marks.all() == []
            yield from found

    with pytest.raises(Contended):
        seal(0, Dozing(), place.chunks, place.marks, now=place.now)  # type: ignore[arg-type]
    assert len(all_of(place.archive.between(0, SEALED))) == 1


def test_reading_a_span_asks_for_the_marks_of_its_windows_once() -> None:
    place = Place()
    place.now = 9 * SEALED
    asked: list[tuple[int, int]] = []

    class Counting:
        def all(self, start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
            asked.append((start, end))
            return place.marks.all(start, end)

    archive = ArchivedLedger(place.ledger, place.chunks, Counting())  # type: ignore[arg-type]
    assert all_of(archive.between(7, 3 * SEALED + 9)) == []
    assert asked == [(SEALED, 3 * SEALED)]


def test_a_mark_stays_until_an_index_that_lags_has_what_it_is_for() -> None:
    place = Place()
    place.now = 3 * SEALED
    place.commit("late", 10)
    place.now += 179_999
    place.seal(0)
    assert len(place.marks.all()) == 1
    place.now += 2
    place.seal(0)
    assert place.marks.all() == []
