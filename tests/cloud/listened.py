"""The four functions over one environment in moto, listened to, and what they are given to do."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import boto3

from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.names import Names
from shroff.codec import encode, encode_part
from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.parts import touched
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction, parse
from shroff.flows.decide import generation_of
from shroff.flows.publish import publish
from shroff.runtimes.lambdas.invocation import invocation
from shroff.runtimes.lambdas.meter import Meter
from shroff.runtimes.lambdas.settings import CloudSettings
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.cloud import Deployed
from shroff.runtimes.wiring.cloud.api import api
from shroff.runtimes.wiring.cloud.consumer import consumer
from shroff.runtimes.wiring.cloud.report import reporter
from shroff.runtimes.wiring.cloud.sweep import look_back
from shroff.simulator import simulate
from tests.adapters.aws_cloud import Watch, environment
from tests.adapters.shelves import REGION, client
from tests.cloud.units import Taken, Tally
from tests.runtimes.events import event

FULL = ("customer_id", "merchant", "card_id", "device_id", "ip", "country")
MEMBERS = {"plain": FULL[:2], "full": FULL}
"""What transactions name, beside who paid whom what when."""
_ALWAYS = ("transaction_id", "amount", "timestamp", "currency")

DAYS, CUSTOMERS, SEED = 30, 3_000, 11
WINDOW = 300_000
FUNCTIONS = ("api", "consumer", "sweep", "report")


@dataclass
class Run:
    """What AWS calls the context of an invocation."""

    aws_request_id: str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:counted"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


@dataclass
class Traffic:
    """A month of history, and the transactions that are counted after it."""

    before: list[Transaction]
    counted: list[dict[str, Any]]


def traffic(kind: str, count: int) -> Traffic:
    """Simulated transactions of one kind, counted from noon on."""
    wanted = (*_ALWAYS, *MEMBERS[kind])
    stream = simulate(days=DAYS + 1, customers=CUSTOMERS, seed=SEED)
    bodies = ({name: each.body[name] for name in wanted if name in each.body} for each in stream)
    noon: float | None = None
    before: list[Transaction] = []
    first: list[dict[str, Any]] = []
    for body in bodies:
        noon = noon or float(body["timestamp"]) // 86_400 * 86_400 + (DAYS + 0.5) * 86_400
        if float(body["timestamp"]) >= noon:
            first = [body]
            break
        before.append(parse(body))
    return Traffic(before, first + list(islice(bodies, count - 1)))


class Stack:
    """The four functions on one environment in moto, each with clients that are listened to."""

    def __init__(self, tally: Tally, log: io.StringIO) -> None:
        self.clock, self.tally, self.log = Watch(), tally, log
        self.store = environment(shards=16, clock=self.clock)
        names = self.store.cloud.names
        self.settings = CloudSettings(
            suffix=names.state.removeprefix("state-"),
            transactions_table=names.transactions,
            state_table=names.state,
            queue_url=names.queue_url,
            dlq_url=names.dlq_url,
            bucket=names.bucket,
            alerts_topic=names.alerts_topic,
        )
        self.names: Names = names
        made = {name: self._deployed() for name in FUNCTIONS}
        self.meters = {name: each.meter for name, each in made.items()}
        self.api = api(made["api"])
        self.consumer = consumer(made["consumer"])
        self.look_back = look_back(made["sweep"])
        self.reporter = reporter(made["report"])
        publish(self.store.policies, default_policy(), self.clock.now)

    def _deployed(self) -> Deployed:
        session = boto3.Session(
            region_name=REGION, aws_access_key_id="nobody", aws_secret_access_key="nothing"
        )
        clients = Clients(session)
        for each in (clients.dynamodb, clients.sqs, clients.s3, clients.sns):
            self.tally.listen(each)
        deployed = Deployed(self.settings, clients, self.clock)
        deployed.meter = Meter(self.settings.suffix, self.clock, lambda line: print(line, file=self.log))
        return deployed

    def remember(self, before: Sequence[Transaction], coming: Sequence[dict[str, Any]]) -> None:
        """Give the entities of what is coming the state that they have after what was before."""
        policy = read_policy(default_policy())
        state = policy.empty_state()
        for start in range(0, len(before), 20_000):
            observe(state, Batch.of(before[start : start + 20_000]))
        self.remembered = sum(len(each.slots) for each in state.entities.values())
        wanted = touched(policy.layouts, Batch.of([parse(each) for each in coming]))
        parts = ((*each, encode_part(state.take(*each))) for each in wanted)
        self.store.entities.fill(generation_of(policy), parts, clock=1)

    @contextmanager
    def of(self, taken: Taken, function: str) -> Iterator[None]:
        """An invocation of a function, and its log."""
        where = self.log.tell()
        with self.tally.of(taken), invocation(Run(), self.meters[function]):
            yield
        lines = self.log.getvalue()[where:].splitlines()
        taken.log_lines += len(lines)
        taken.log_bytes += sum(len(each.encode()) for each in lines)

    def post(self, taken: Taken, bodies: Sequence[dict[str, Any]]) -> None:
        """One request to the API."""
        lines = b"\n".join(encode(each) for each in bodies)
        path, kind = ("/transactions", "json") if len(bodies) == 1 else ("/transactions/batch", "x-ndjson")
        asked = event("POST", path, lines, {"Content-Type": f"application/{kind}"})
        with self.of(taken, "api"):
            answer = self.api.answer(asked)
        assert answer["statusCode"] in {200, 202, 207}, answer

    def decide(self, taken: Taken) -> None:
        """One batch of the queue."""
        records = self._received()
        with self.of(taken, "consumer"):
            assert not self.consumer.consume(records, Run().get_remaining_time_in_millis)

    def _received(self) -> list[dict[str, Any]]:
        sqs, url = client("sqs"), self.names.queue_url
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        )["Messages"]
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return [{"messageId": each["MessageId"], "receiptHandle": each["ReceiptHandle"], "body": each["Body"],
                 "attributes": each["Attributes"], "messageAttributes": each["MessageAttributes"]}
                for each in found]  # fmt: skip

    def begin(self, now: int) -> None:
        """As if every run before this moment had done its work."""
        self.clock.now = now
        for job in ("audited", "looked"):
            self.store.schedule.done(job, now - 60_000)
        start = (now - 60_000) // WINDOW * WINDOW
        self.store.schedule.done("sealed", start - WINDOW)
        self.store.schedule.done("sweep", start)
