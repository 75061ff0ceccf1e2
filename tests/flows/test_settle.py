"""Settling what was accepted: nothing stays unsent, and nothing is passed over."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shroff.adapters.memory import MemoryStore
from shroff.flows.settle import GAP, PATIENCE, UNSURE, Settled, settle
from shroff.ports import Entry, Fate, Message, Receipt, Work
from tests.contracts.samples import dead, decided, retrying

MINUTE = 60_000
BEGIN = 1_700_000_000_000


class TimedQueue:
    """A queue whose places are moments of acceptance; a page ends at a whole millisecond."""

    def __init__(self) -> None:
        self.accepted: list[tuple[int, str]] = []
        self.largest = 0

    def accept(self, at: int, *names: str) -> None:
        self.accepted = sorted([*self.accepted, *((at, name) for name in names)])

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        times = [at for at, _ in self.accepted]
        first = bisect_right(times, after)
        last = first + limit
        if last < len(times):
            last = max(bisect_left(times, times[last]), bisect_right(times, times[first]))
        self.largest = max(self.largest, last - first)
        return self.accepted[first:last]

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        raise NotImplementedError

    def read(self, after: int, limit: int) -> list[Message]:
        raise NotImplementedError

    def find(self, transaction_id: str) -> Message | None:
        raise NotImplementedError

    def last(self) -> int:
        raise NotImplementedError


class Scene:
    def __init__(self) -> None:
        self.queue = TimedQueue()
        self.ledger = MemoryStore().ledger
        self.sent: list[str] = []
        self.watermark, self.before = 0, None

    def settle(self, now: int, before: int | None = None) -> Settled:
        found = settle(
            self.queue, self.ledger, self.sent.extend, watermark=self.watermark, now=now, before=before
        )
        self.watermark = found.watermark
        return found


def test_the_watermark_moves_to_what_may_still_be_under_way() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "a", "b")
    scene.queue.accept(BEGIN + 10, "c")
    scene.queue.accept(BEGIN + 11, "d")
    scene.ledger.commit(Work(decided=[decided(name) for name in "abcd"]))
    found = scene.settle(BEGIN + 10 + UNSURE)
    assert (found.watermark, found.looked_at, found.open, found.sent) == (BEGIN + 10, 3, 0, 0)
    assert scene.settle(BEGIN + 10 + UNSURE).looked_at == 0
    assert scene.watermark == BEGIN + 10


def test_the_watermark_stops_before_what_has_no_fate() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "a")
    scene.queue.accept(BEGIN + 5, "lost", "b")
    scene.queue.accept(BEGIN + 9, "dead")
    scene.ledger.commit(Work(decided=[decided("a"), decided("b")]))
    scene.ledger.commit(dead("dead"))
    found = scene.settle(BEGIN + PATIENCE - 1)
    assert (found.watermark, found.looked_at, found.open, found.sent) == (BEGIN + 4, 4, 1, 0)
    assert scene.sent == []


def test_what_is_to_be_tried_again_is_not_settled() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "a")
    scene.ledger.commit(Work(unsettled=[retrying("a", BEGIN)]))
    assert scene.settle(BEGIN + UNSURE).watermark == BEGIN - 1


def test_what_has_no_fate_for_too_long_is_sent_once_for_each_doubling_of_its_age() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "lost")
    counts, before = [], None
    for minute in range(0, 100, 5):
        scene.settle(BEGIN + minute * MINUTE, before)
        before = BEGIN + minute * MINUTE
        counts.append(len(scene.sent))
    sent_at = [5 * at for at in range(1, len(counts)) if counts[at] > counts[at - 1]]
    assert sent_at == [10, 20, 40, 80]


def test_a_run_that_was_missed_sends_what_it_would_have_sent() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "lost")
    assert scene.settle(BEGIN + 19 * MINUTE, BEGIN + 9 * MINUTE).sent == 1
    assert scene.settle(BEGIN + 19 * MINUTE + 59_999, BEGIN + 19 * MINUTE).sent == 0
    assert scene.settle(BEGIN + 95 * MINUTE, BEGIN + 19 * MINUTE).sent == 1


def test_the_gap_counts_what_is_open_for_longer() -> None:
    scene = Scene()
    scene.queue.accept(BEGIN, "a", "b")
    scene.queue.accept(BEGIN + 1, "c")
    assert scene.settle(BEGIN + GAP - 1).gap == 0
    assert scene.settle(BEGIN + GAP).gap == 2
    assert scene.settle(BEGIN + GAP + 1).gap == 3


def test_a_long_line_is_followed_a_page_at_a_time() -> None:
    scene = Scene()
    scene.queue.accepted = [(BEGIN + number // 7, f"t{number}") for number in range(12_000)]
    found = scene.settle(BEGIN + PATIENCE + 12_000)
    assert (found.looked_at, found.open, found.sent) == (12_000, 12_000, 12_000)
    assert scene.queue.largest <= 5_000
    assert found.watermark == BEGIN - 1


class Settling(RuleBasedStateMachine):
    """Accepted, sent or not, decided or not; settled every so often."""

    def __init__(self) -> None:
        super().__init__()
        self.scene, self.now = Scene(), BEGIN
        self.before: int | None = None
        self.names, self.line = 0, list[str]()

    @rule(count=st.integers(1, 3), sent=st.booleans(), took=st.integers(0, UNSURE // 2))
    def accept(self, count: int, sent: bool, took: int) -> None:
        """The moment of acceptance is taken before the item is there to be seen."""
        for _ in range(count):
            name = f"t{self.names}"
            self.scene.queue.accept(self.now - took, name)
            self.names += 1
            self.line += [name] * sent

    @rule(by=st.sampled_from([1, MINUTE, 5 * MINUTE, PATIENCE, 3 * PATIENCE]))
    def time_passes(self, by: int) -> None:
        self.now += by

    @rule(which=st.integers(0), fate=st.sampled_from(["decided", "decided", "dead_lettered", "retrying"]))
    def work(self, which: int, fate: Fate) -> None:
        """A message is taken off the line, whichever; a second one of the same does nothing."""
        if self.line:
            self._finish(self.line.pop(which % len(self.line)), fate)

    def _finish(self, name: str, fate: Fate) -> None:
        if self._fates().get(name, "retrying") != "retrying":
            return
        if fate == "decided":
            self.scene.ledger.commit(Work(decided=[decided(name)]))
        elif fate == "retrying":
            self.scene.ledger.commit(Work(unsettled=[retrying(name, self.now)]))
        else:
            self.scene.ledger.commit(dead(name))

    @rule()
    def settle(self) -> None:
        before = self.scene.watermark
        found = self.scene.settle(self.now, self.before)
        assert found.watermark >= before
        self.line += self.scene.sent
        self.scene.sent, self.before = [], self.now

    @invariant()
    def the_watermark_has_passed_nothing_without_a_fate(self) -> None:
        fates = self._fates()
        passed = [name for at, name in self.scene.queue.accepted if at <= self.scene.watermark]
        assert all(fates.get(name, "retrying") != "retrying" for name in passed)

    def teardown(self) -> None:
        """Where the workers go on, everything that was accepted comes to its end."""
        for _ in range(12):
            self.now = BEGIN + 2 * max(self.now - BEGIN, PATIENCE)
            self.settle()
            for name in self.line:
                self._finish(name, "decided")
            self.line = []
        self.settle()
        assert len(self._fates()) == self.names
        assert "retrying" not in self._fates().values()

    def _fates(self) -> dict[str, Fate]:
        return self.scene.ledger.fates([name for _, name in self.scene.queue.accepted])


TestSettling = Settling.TestCase
TestSettling.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
