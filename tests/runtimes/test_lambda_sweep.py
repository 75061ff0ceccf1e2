"""Looking back on AWS: told, audited, sealed and swept by the clock, in as many runs as it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shroff.adapters.memory.chunks import MemoryChunks
from shroff.adapters.memory.marks import MemoryLateMarks
from shroff.codec import decision_members
from shroff.core.alert import Alert
from shroff.core.errors import Rejected, Retryable
from shroff.flows.publish import publish
from shroff.flows.settle import AUDITED
from shroff.ports import FOREVER, SEALED, Entry, Label, Message, Receipt, Uptake
from shroff.runtimes.lambdas.learning import Learner
from shroff.runtimes.lambdas.looking_back import LookBack, LookingPorts
from shroff.runtimes.lambdas.telling import Teller
from tests.api.served import POLICY, example
from tests.contracts.samples import alert
from tests.runtimes.events import event
from tests.runtimes.twins import Stack

SWEEP = """
[sweep]
every = "5m"
window = "5m"
by = "customer"
[[sweep.rules]]
name = "burst"
when = "window.count >= 3"
score = "0.9"
reason = "Many at once"
"""
NOON = 1_700_049_600_000 // SEALED * SEALED


class Timed:
    """A memory queue whose places are moments of acceptance, as on AWS."""

    def __init__(self, stack: Stack) -> None:
        self._queue = stack.queue

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        found = [(each.received_at, each.transaction_id) for each in self._queue.read(0, 10**6)]
        return sorted(each for each in found if each[0] > after)[:limit]

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        return self._queue.append(entries)

    def read(self, after: int, limit: int) -> list[Message]:
        raise NotImplementedError

    def find(self, transaction_id: str) -> Message | None:
        return self._queue.find(transaction_id)

    def last(self) -> int:
        raise NotImplementedError


class World:
    """A stack with its clock, and what looks back on it."""

    def __init__(self) -> None:
        self.at = NOON
        self.stack = Stack(POLICY + SWEEP)
        self.stack.clock = lambda: self.at
        self.chunks, self.marks = MemoryChunks(), MemoryLateMarks()
        self.told: list[str] = []
        self.untold: list[Alert] = []
        self.forgotten: set[str] = set()
        self.sent: list[str] = []
        self.topic: Exception | None = None
        self.found_dead: list[int] = []
        store = self.stack.store
        learner = Learner(
            store.labels, self.stack.entities, self.stack.decider.policy,
            lambda: self.at, lambda _: None, self.stack.meter,
        )  # fmt: skip
        self.look_back = LookBack(
            LookingPorts(
                find_dead=lambda: self.found_dead.append(self.at),
                queue=Timed(self.stack),
                ledger=store.ledger,
                archive=store.ledger,
                chunks=self.chunks,
                marks=self.marks,
                alerts=store.alerts,
                untold=self._untold,
                tell=Teller(self, self._forget).tell,
                send=self.sent.extend,
                policy=self.stack.decider.policy,
                schedule=store.schedule,
                learn=learner.learn,
                clock=lambda: self.at,
            ),
            sweep_delay=60_000,
            meter=self.stack.meter,
        )
        self.name = "topic"

    def send(self, alert: Alert) -> None:
        if self.topic is not None:
            raise self.topic
        self.told.append(alert.alert_id)

    def _untold(self, limit: int) -> list[Alert]:
        raised = [each for _, each in self.stack.store.alerts.after(0, limit)]
        return [each for each in (*self.untold, *raised) if each.alert_id not in self.forgotten]

    def _forget(self, ids: Any) -> None:
        self.forgotten |= set(ids)

    def accept(self, name: str, at: int, **members: Any) -> None:
        body = json.dumps(example(transaction_id=name, timestamp=at / 1_000, **members)).encode()
        answer = self.stack.api.answer(event("POST", "/transactions", body))
        assert answer["statusCode"] == 202
        kept = self.stack.queue._messages[-1]
        self.stack.queue._messages[-1] = Message(
            seq=kept.seq, transaction_id=name, body=kept.body, received_at=at
        )

    def decide(self) -> None:
        self.stack.decider.decide(self.stack.queue.read(0, 1_000), lambda: 30_000)

    def run(self, steps: int = 10**6) -> bool:
        left = iter([True] * steps)
        return self.look_back.run(lambda: next(left, False))

    def windows(self) -> list[int]:
        return list(self.chunks.windows(0, 2**62))


@pytest.fixture
def world() -> World:
    return World()


def test_a_first_run_seals_the_newest_window_and_then_one_each_five_minutes(world: World):
    world.at = NOON + 60_000
    assert world.run()
    assert world.windows() == [NOON - SEALED]
    world.at += SEALED
    assert world.run()
    assert world.windows() == [NOON - SEALED, NOON]


def test_a_window_is_not_sealed_before_its_delay(world: World):
    world.at = NOON + 60_000
    world.run()
    world.at = NOON + SEALED + 59_000
    world.run()
    assert world.windows() == [NOON - SEALED]


def test_after_a_pause_every_window_is_made_up_for_in_as_many_runs_as_it_takes(world: World):
    world.at = NOON + 60_000
    world.run()
    world.at += 20 * SEALED
    assert not world.run(steps=8)
    between = len(world.windows())
    assert 1 < between < 21
    while not world.run(steps=8):
        pass
    assert len(world.windows()) == 21
    assert world.stack.store.schedule.last("sweep") == NOON + 20 * SEALED


def test_a_sweep_finds_and_tells(world: World):
    world.at = NOON + 60_000
    world.run()
    for number in range(3):
        world.accept(f"t-{number}", NOON + 1_000 + number)
    world.decide()
    world.at = NOON + SEALED + 60_000
    assert world.run()
    assert len(world.told) == 3
    world.at += SEALED
    assert world.run()
    assert len(world.told) == 3
    counted = world.stack.counted()
    assert (counted["Findings"], counted["AuditGap"]) == (3, 0)


def test_a_sweep_waits_for_what_is_in_flight_but_not_for_ever(world: World):
    world.at = NOON + 60_000
    world.run()
    world.accept("stuck", NOON + 1_000)
    world.at = NOON + SEALED + 60_000
    assert world.run()
    assert world.stack.store.schedule.last("sweep") == NOON
    world.at = NOON + SEALED + 600_000
    assert world.run()
    assert world.stack.store.schedule.last("sweep") == NOON + SEALED


def test_where_nothing_came_lately_no_sweep_waits(world: World):
    world.accept("old", NOON - 3 * SEALED)
    world.decide()
    for number in range(3):
        world.at = NOON + 60_000 + number * SEALED
        assert world.run()
        assert world.stack.store.schedule.last("sweep") == NOON + number * SEALED


def test_what_never_came_to_a_fate_is_sent_again_and_told_as_a_gap(world: World):
    world.accept("lost", NOON)
    world.at = NOON + 300_000
    world.run()
    assert not world.sent
    world.at = NOON + 660_000
    world.run()
    assert world.sent == ["lost"]
    assert world.stack.counted()["AuditGap"] == 0
    world.at = NOON + 960_000
    world.run()
    assert world.stack.counted()["AuditGap"] == 1
    assert world.stack.store.schedule.last(AUDITED) == NOON - 1


def test_an_audit_that_runs_out_of_time_is_gone_on_with(world: World):
    world.accept("a", NOON)
    world.decide()
    world.at = NOON + 600_000
    assert not world.run(steps=0)
    assert world.stack.store.schedule.last(AUDITED) == 0
    assert world.run()
    assert world.stack.store.schedule.last(AUDITED) == world.at - 60_000


def test_an_audit_without_an_end_keeps_no_window_from_being_sealed(world: World):
    world.at = NOON + 660_000

    def endless(_: Timed, after: int, limit: int) -> list[tuple[int, str]]:
        world.at += 100_000
        return [(max(after, NOON) + 1, f"open-{after}")]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Timed, "ids", endless)
        world.run(steps=50)
    assert world.windows()
    assert world.stack.store.schedule.last(AUDITED) == NOON


def test_what_an_audit_sent_before_it_was_cut_off_is_not_sent_by_the_next_at_once(world: World):
    world.accept("lost", NOON)
    world.at = NOON + 660_000
    assert not world.run(steps=1)
    assert world.sent == ["lost"]
    world.at += 1_000
    assert world.run()
    assert world.sent == ["lost"]


def test_a_window_that_came_late_is_sealed_without_a_look_at_all_marks(world: World):
    world.at = NOON + 60_000
    world.run()
    for number in range(3):
        world.marks.mark(NOON - SEALED * (1 + number), NOON)
    world.at += SEALED
    looks, every = list[tuple[int, int]](), world.marks.all

    def counted(start: int = 0, end: int = FOREVER) -> list[tuple[int, int]]:
        looks.append((start, end))
        return every(start, end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.marks, "all", counted)
        world.run()
    whole = [each for each in looks if each == (0, FOREVER)]
    assert (len(looks), len(whole)) == (2, 1), "one to seal what is due, one to seal again"
    assert not world.marks.all()


def test_what_an_index_showed_minutes_too_late_is_in_the_chunk_for_good(world: World):
    world.at = NOON + 60_000
    world.run()
    world.accept("slow", NOON - 1_000)
    world.decide()
    for start, number in world.marks.all():  # decided in time: it is only seen late
        world.marks.clear(start, number)
    world.at = NOON + SEALED + 60_000
    world.run()
    assert [sum(map(len, world.chunks.read(NOON - SEALED) or ()))] == [0]
    world.at = NOON + 3 * SEALED + 60_000
    world.run()
    assert [sum(map(len, world.chunks.read(NOON - SEALED) or ()))] == [1]


def test_what_came_late_is_sealed_again(world: World):
    world.at = NOON + 60_000
    world.run()
    assert [sum(map(len, world.chunks.read(NOON - SEALED) or ()))] == [0]
    world.accept("late", NOON - 1_000)
    world.marks.mark(NOON - SEALED, world.at)
    world.decide()
    world.at += SEALED
    world.run()
    assert [sum(map(len, world.chunks.read(NOON - SEALED) or ()))] == [1]
    assert not world.marks.all()


def test_a_mark_of_what_is_not_sealed_yet_waits_for_its_window(world: World):
    world.at = NOON + 60_000
    world.run()
    world.marks.mark(NOON + SEALED, world.at)
    world.run()
    assert world.windows() == [NOON - SEALED]


def labelled(world: World, *numbers: int) -> None:
    """By a policy that asks for labels, transactions that were decided, each with one."""
    world.stack.decider._policy = None
    publish(
        world.stack.store.policies, POLICY.replace('"count_1h"', '"count_1h", "fraud_count_7d"'), world.at
    )
    for number in numbers:
        world.accept(f"t-{number}", NOON - 60_000, customer_id=f"c-{number}")
        label = Label(transaction_id=f"t-{number}", fraud=True, source="analyst", known_at=NOON,
                      received_at=NOON)  # fmt: skip
        world.stack.store.labels.add([label])
    world.decide()


def test_labels_that_are_known_are_learned_and_counted(world: World):
    labelled(world, 1, 2)
    world.at = NOON - 1
    assert world.run()
    assert world.stack.store.labels.counts()["learned"] == 0
    world.at = NOON + 60_000
    assert world.run()
    assert world.stack.store.labels.counts()["learned"] == 2
    assert world.stack.counted()["LabelsLearned"] == 2
    world.accept("next", NOON + 60_000, customer_id="c-1")
    world.decide()
    record = world.stack.store.ledger.find("next")
    assert record is not None
    features = decision_members(record.decision, world.stack.decider.policy().snapshot_names)["features"]
    assert features["customer.fraud_count_7d"] == 1


def test_labels_for_which_no_time_is_left_are_learned_by_the_next_run(world: World):
    labelled(world, *range(60))
    world.at = NOON + 60_000
    assert world.run()
    world.stack.store.labels.add([
        Label(transaction_id=f"t-{number}", fraud=False, source="customer", known_at=NOON + 1,
              received_at=NOON)
        for number in range(60)
    ])  # fmt: skip
    steps = 0
    while not world.run(steps=5):
        steps += 1
        assert steps < 20
    assert steps
    assert world.stack.store.labels.counts()["learned"] == 120


def test_a_label_that_cannot_be_learned_is_an_error_once_all_else_is_done(world: World):
    labelled(world, 1, 2)

    def fail(uptake: Uptake) -> None:
        if any(each.transaction_id == "t-1" for each in uptake.learned):
            raise ValueError("unreadable")

    world.stack.entities.before_learning = fail
    world.at = NOON + 60_000
    with pytest.raises(RuntimeError, match="the labels of 1 transactions could not be learned"):
        world.run()
    assert world.windows()
    assert world.stack.store.labels.counts()["learned"] == 1
    assert world.run(), "it is put off, and rings once"


def test_what_stayed_untold_is_told_and_what_is_being_told_is_left(world: World):
    world.untold = [alert("old", occurred_at=NOON - 120_000), alert("new", occurred_at=NOON - 1_000)]
    world.at = NOON
    world.run()
    assert world.told == ["old"]
    assert world.forgotten == {"old"}


def test_a_topic_that_does_not_answer_keeps_nothing_else_from_being_done(world: World):
    world.untold = [alert("old", occurred_at=NOON - 120_000)]
    world.topic = Retryable("no answer")
    assert world.run()
    assert world.windows()
    assert world.stack.counted()["Untold"] == 1


def test_what_the_topic_refuses_does_not_stand_before_the_others(world: World):
    class Picky:
        name = "picky"

        def send(self, alert: Alert) -> None:
            if alert.alert_id == "bad":
                raise Rejected([])

    told: list[str] = []
    teller = Teller(Picky(), told.extend)
    assert teller.tell([alert("bad"), alert("good")]) == 2
    assert told == ["bad", "good"]


def test_what_was_told_before_the_topic_failed_is_not_told_again():
    class Failing:
        name = "failing"

        def send(self, alert: Alert) -> None:
            if alert.alert_id == "b":
                raise Retryable("no answer")

    told: list[str] = []
    assert Teller(Failing(), told.extend).tell([alert("a"), alert("b"), alert("c")]) == 1
    assert told == ["a"]


def test_a_step_that_fails_ends_no_other_and_is_told(world: World):
    world.stack.store.schedule.last = fail_for_audit(world.stack.store.schedule.last)  # type: ignore[method-assign,assignment]
    world.at = NOON + 60_000
    with pytest.raises(PermissionError):
        world.run()
    assert world.windows() == [NOON - SEALED]


def fail_for_audit(last: Callable[[str], int | None]) -> Callable[[str], int | None]:
    def refuse(job: str) -> int | None:
        if job == "looked":
            raise PermissionError("no access")
        return last(job)

    return refuse
