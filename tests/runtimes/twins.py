"""What the functions of AWS ask, in memory: a stack without AWS, whose failures a test decides."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from shroff.adapters.memory import MemoryQueue, MemoryStore
from shroff.adapters.memory.entities import MemoryEntities
from shroff.api.gateway.settings import DeskPorts, GatewaySettings
from shroff.core.alert import Alert
from shroff.flows.publish import publish
from shroff.ports import DeadLetter, Entry, Failure, Message, Part, Unsettled, Uptake, Work
from shroff.runtimes.lambdas.answering import Api, Inline, ask
from shroff.runtimes.lambdas.answering import Counter as Intake
from shroff.runtimes.lambdas.deciding import Decider, DeciderPorts
from shroff.runtimes.lambdas.deliveries import Consumer, ConsumerPorts
from shroff.runtimes.lambdas.meter import Meter


class Watched:
    """The shipped twin, before and after whose commits a test may do something."""

    def __init__(self, entities: MemoryEntities) -> None:
        self._entities = entities
        self.before_commit: Callable[[Work], None] = lambda _: None
        self.after_commit: Callable[[Work], None] = lambda _: None
        self.before_learning: Callable[[Uptake], None] = lambda _: None

    def load(self, generation: str, entities: Sequence[tuple[str, str]]) -> list[Part]:
        return self._entities.load(generation, entities)

    def commit(self, generation: str, work: Work, states: Sequence[tuple[Part, bytes]]) -> list[Alert]:
        self.before_commit(work)
        new = self._entities.commit(generation, work, states)
        self.after_commit(work)
        return new

    def turn(self) -> int | None:
        return self._entities.turn()

    def learn(self, generation: str, uptake: Uptake, states: Sequence[tuple[Part, bytes]]) -> None:
        self.before_learning(uptake)
        self._entities.learn(generation, uptake, states)

    def fill(self, generation: str, states: Iterable[tuple[str, str, bytes]], clock: int) -> None:
        self._entities.fill(generation, states, clock)


@dataclass
class MemoryFailing:
    """Where messages go that were not decided."""

    store: MemoryStore
    returned: list[str] = field(default_factory=list)
    buried: list[str] = field(default_factory=list)
    noted: list[tuple[str, bool]] = field(default_factory=list)
    trouble: Exception | None = None

    def put_back(self, messages: Sequence[Message]) -> None:
        self._may_fail()
        self.returned += [each.transaction_id for each in messages]

    def note(self, message: Message, *, dead: bool) -> bool:
        self._may_fail()
        if self._is_closed(message.transaction_id):
            return False
        self.noted.append((message.transaction_id, dead))
        self._keep(message, None if dead else 1)
        return True

    def bury(self, message: Message) -> bool:
        self._may_fail()
        if self._is_closed(message.transaction_id):
            return False
        self.buried.append(message.transaction_id)
        self._keep(message, None)
        return True

    def _is_closed(self, transaction_id: str) -> bool:
        letter = self.store.dead_letters.get(transaction_id)
        return self.store.ledger.find(transaction_id) is not None or (letter is not None and letter.discarded)

    def _may_fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def _keep(self, message: Message, due_at: int | None) -> None:
        self.store.ledger.commit(Work(unsettled=[Unsettled(message=message, due_at=due_at)]))


def now() -> int:
    return time.time_ns() // 1_000_000


def context(left: int = 29_000) -> Any:
    return SimpleNamespace(
        aws_request_id="request-1",
        invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:x",
        get_remaining_time_in_millis=lambda: left,
    )


class Stack:
    """The API and the consumer over one memory store."""

    def __init__(self, policy: str, *, published: bool = True, **settings: Any) -> None:
        self.queue, self.store = MemoryQueue(), MemoryStore()
        if published:
            publish(self.store.policies, policy, now())
        self.entities, self.failing = Watched(self.store.entities), MemoryFailing(self.store)
        self.lines: list[str] = []
        self.sent: list[str] = []
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.in_flight = 0
        self.stands_still = False
        self.clock = now
        self.trouble: Exception | None = None
        self.meter = Meter("test", now, self.lines.append)
        self.decider = Decider(
            DeciderPorts(
                entities=self.entities,
                lists=self.store.lists,
                policies=self.store.policies,
                models=self.store.models,
                tell=self._tell,
                default_policy=lambda: policy,
                clock=self._now,
                sleep=self.pauses.append,
            ),
            self.meter,
        )
        self.settings = GatewaySettings(require_key=False, **settings)
        self.api = self._api(self.settings)
        ports = ConsumerPorts(
            read=read_records, failing=self.failing, put_back=self.failing.put_back, clock=now
        )
        self.consumer = Consumer(self.decider, ports, max_receives=3, meter=self.meter)

    def _api(self, settings: GatewaySettings) -> Api:
        ports = DeskPorts(
            reader=self.queue,
            ledger=self.store.ledger,
            dead_letters=self.store.dead_letters,
            policies=self.store.policies,
            in_flight=lambda: self.in_flight,
            ask=ask,
            labels=self.store.labels,
            keep=ask,
        )
        intake, deciding = (
            Intake(settings, now, append, self.meter) for append in (self._append_and_send, self._append)
        )
        self.inline = Inline(ports, self.decider, self._send, self._now, lambda: self.stands_still)
        return Api(ports, intake, deciding, self.inline, now)

    def _now(self) -> int:
        return self.clock()

    def _append(self, entries: Sequence[Entry]) -> list[Any]:
        if self.trouble is not None:
            raise self.trouble
        return self.queue.append(entries)

    def _append_and_send(self, entries: Sequence[Entry]) -> list[Any]:
        receipts = self._append(entries)
        self.sent += [each.transaction_id for each in receipts]
        return receipts

    def _send(self, messages: Sequence[Message]) -> None:
        self.sent += [each.transaction_id for each in messages]

    def _tell(self, alerts: Sequence[Alert]) -> int:
        self.told += [each.alert_id for each in alerts]
        return len(alerts)

    def bury(self, transaction_id: str, cause: str) -> DeadLetter | None:
        message = self.queue.find(transaction_id)
        assert message is not None
        failed = Message(
            seq=message.seq,
            transaction_id=transaction_id,
            body=message.body,
            received_at=message.received_at,
            failures=(Failure(at=now(), cause=cause),),
        )
        self.store.ledger.commit(Work(unsettled=[Unsettled(message=failed, due_at=None)]))
        return self.store.dead_letters.get(transaction_id)

    def consume(self, *records: dict[str, Any], left: int = 30_000) -> list[str]:
        return self.consumer.consume(records, lambda: left)

    def counted(self) -> Counter[str]:
        """What the metrics say, summed; by outcome as `Decided.review`."""
        self.meter.flush()
        found: Counter[str] = Counter()
        for line in map(json.loads, self.lines):
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                value = line[metric["Name"]]
                name = f"{metric['Name']}.{line['outcome']}" if "outcome" in line else metric["Name"]
                found[name] += len(value) if isinstance(value, list) else value
        return found


def record(message: Message, *, receives: int = 1, record_id: str | None = None) -> dict[str, Any]:
    """A message as SQS hands it over."""
    return {
        "messageId": record_id or f"sqs-{message.transaction_id}",
        "body": message.body.decode(),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {"transaction_id": {"stringValue": message.transaction_id}},
    }


@dataclass(frozen=True)
class Handed:
    """A message as it was handed over."""

    delivery_id: str
    receives: int
    message: Message


def read_records(records: Sequence[Mapping[str, Any]]) -> list[Handed]:
    return [_read(each) for each in records]


def _read(each: Mapping[str, Any]) -> Handed:
    message = Message(
        seq=1,
        transaction_id=each["messageAttributes"]["transaction_id"]["stringValue"],
        body=each["body"].encode(),
        received_at=now() - 5,
    )
    return Handed(each["messageId"], int(each["attributes"]["ApproximateReceiveCount"]), message)
