"""Lambda's SQS poller: as the consumer's role it receives, hands over, deletes what was done.

Time is short in a test: what was not done becomes visible at once rather than after the queue's visibility
timeout. That is the only liberty taken; receives are counted, and messages moved to the dead-letter queue,
by the queue itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.cloud.process import REGION
from tests.cloud.runtime_api import Result

Invoke = Callable[[str, Any], Result]


@dataclass
class Poller:
    """One event source mapping."""

    functions: Any
    """A client of Lambda, to read the mapping's declaration and state."""
    as_role: Any
    """A client of SQS with the consumer's credentials: a poller has no other."""
    operator: Any
    """A client of SQS for what time would do."""
    invoke: Invoke
    mapping: str
    batches: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Message ids that the function reported."""

    def __post_init__(self) -> None:
        self.declared = self.functions.get_event_source_mapping(UUID=self.mapping)
        self.source: str = self.declared["EventSourceArn"]
        self.name: str = self.declared["FunctionArn"].rsplit(":", 1)[-1]
        self.url: str = self.operator.get_queue_url(QueueName=self.source.rsplit(":", 1)[-1])["QueueUrl"]
        self.partial = "ReportBatchItemFailures" in self.declared.get("FunctionResponseTypes", [])

    @property
    def enabled(self) -> bool:
        state: str = self.functions.get_event_source_mapping(UUID=self.mapping)["State"]
        return state == "Enabled"

    def receive(self) -> list[dict[str, Any]]:
        """A batch, in as many calls as ten messages a call take."""
        messages: list[dict[str, Any]] = []
        while len(messages) < self.declared["BatchSize"]:
            found = self.as_role.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(10, self.declared["BatchSize"] - len(messages)),
                WaitTimeSeconds=0,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            messages += found
            if not found:
                break
        return messages

    def once(self) -> int:
        """Hand over one batch; returns how many messages it held."""
        messages = self.receive()
        if not messages:
            return 0
        self.batches.append(len(messages))
        result = self.invoke(self.name, {"Records": [self.record(each) for each in messages]})
        failed = self.failed(messages, result)
        self.failures += [each["MessageId"] for each in messages if each["MessageId"] in failed]
        done = [each for each in messages if each["MessageId"] not in failed]
        for some in (done[start : start + 10] for start in range(0, len(done), 10)):
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(some)]
            self.as_role.delete_message_batch(QueueUrl=self.url, Entries=entries)
        for each in messages:
            if each["MessageId"] in failed:
                self.operator.change_message_visibility(
                    QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
                )
        return len(messages)

    def failed(self, messages: list[dict[str, Any]], result: Result) -> set[str]:
        """The messages to keep: all after an error or a malformed answer, else those that are named."""
        everything = {each["MessageId"] for each in messages}
        if result.error is not None:
            return everything
        if not self.partial or not result.value:
            return set()
        named = [each.get("itemIdentifier") for each in result.value.get("batchItemFailures") or []]
        return set(named) if all(each in everything for each in named) else everything

    def record(self, message: dict[str, Any]) -> dict[str, Any]:
        """One record of the event, as AWS documents it."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.source,
            "awsRegion": REGION,
        }

    def waiting(self) -> int:
        """Messages that are visible, delayed or in flight."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        found = self.operator.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def drain(self, pollers: int = 1, seconds: float = 120) -> int:
        """Hand over batches, side by side where more pollers are asked for, until the queue is empty."""
        deadline = time.monotonic() + seconds
        self.as_role.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["All"]
        )  # as Lambda does, to scale

        def poll() -> int:
            handed = 0
            while time.monotonic() < deadline and self.enabled:
                count = self.once()
                handed += count
                if count == 0:
                    if self.waiting() == 0:
                        return handed
                    time.sleep(0.05)
            return handed

        with ThreadPoolExecutor(pollers) as pool:
            return sum(each.result() for each in [pool.submit(poll) for _ in range(pollers)])
