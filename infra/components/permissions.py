"""What each function may do: a table of exact actions on exact resources, each with its reason.

`roles.py` turns it into policies. The tests of the local cloud take every action out once and see something
fail, so what is here is what is needed, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Actions on one resource, called by the name that `roles.resources` gives it."""

    on: str
    actions: tuple[str, ...]
    why: str


def grant(on: str, actions: str, why: str) -> Grant:
    """A row of the table: `service:One Two Three` stands for three actions."""
    service, _, names = actions.partition(":")
    return Grant(on=on, actions=tuple(f"{service}:{n}" for n in names.split()), why=why)


EVERY = (
    grant("logs", "logs:CreateLogStream PutLogEvents", "its own log; metrics are lines of it"),
    # X-Ray's write actions know no resources: AWS has no other than `*`.
    grant("tracing", "xray:PutTraceSegments PutTelemetryRecords", "traces of a sample of its runs"),
    grant("key", "kms:Decrypt GenerateDataKey", "its environment, tables, queues, topics and objects"),
    grant("invocation-dlq", "sqs:SendMessage", "what an asynchronous run could not do"),
)
"""What every function does."""

_DECIDES = (
    grant("transactions", "dynamodb:PutItem", "accepted and decided transactions, each once"),
    grant("transactions", "dynamodb:BatchGetItem Query", "what was accepted, and what became of it"),
    grant("state", "dynamodb:BatchGetItem GetItem Query", "parts of entities, lists, policies"),
    grant("state", "dynamodb:PutItem UpdateItem", "parts of entities, alerts, days, late marks"),
    grant("alerts", "sns:Publish", "new alerts"),
)
"""What both do that decide: the API at once, the consumer from the queue."""

PERMISSIONS: dict[str, tuple[Grant, ...]] = {
    "api-handler": (
        *EVERY,
        *_DECIDES,
        grant("transactions", "dynamodb:GetItem", "one transaction, for who asks for it"),
        grant("queue", "sqs:SendMessage GetQueueAttributes", "hands over; the high-water mark"),
    ),
    "queue-consumer": (
        *EVERY,
        *_DECIDES,
        grant("transactions", "dynamodb:UpdateItem", "failures, and what is given up"),
        grant("queue", "sqs:ReceiveMessage DeleteMessage GetQueueAttributes", "the event source polls as it"),
        grant("queue", "sqs:SendMessage", "what met too much contention goes to the end of the line"),
        grant("dlq", "sqs:SendMessage", "what can never be decided, with its cause"),
    ),
    "batch-processor": (
        *EVERY,
        grant("transactions", "dynamodb:BatchGetItem Query", "fates of what was accepted"),
        grant("transactions", "dynamodb:GetItem", "the bodies of what is sent again"),
        grant("transactions/by-accepted", "dynamodb:Query", "the audit"),
        grant("transactions/by-time", "dynamodb:Query", "the window that is sealed"),
        grant("state", "dynamodb:GetItem Query", "how far it came; policies, days, late marks"),
        grant("state", "dynamodb:BatchGetItem", "which findings are alerts already"),
        grant("state", "dynamodb:PutItem UpdateItem DeleteItem", "alerts; how far it came; marks undone"),
        grant("state/untold", "dynamodb:Query", "alerts that nobody was told of yet"),
        grant("state/pending", "dynamodb:Query", "labels that wait to be learned"),
        # A label is learned only if deciding has not stood still since: one check more in its transaction.
        grant("state", "dynamodb:ConditionCheckItem", "that nobody folds history meanwhile"),
        grant("queue", "sqs:SendMessage", "what was accepted but never sent"),
        grant(
            "dlq", "sqs:ReceiveMessage ChangeMessageVisibility GetQueueAttributes", "what SQS gave up alone"
        ),
        grant("dlq", "sqs:DeleteMessage", "what was decided after all"),
        grant("transactions", "dynamodb:UpdateItem", "marks of what SQS gave up"),
        grant("alerts", "sns:Publish", "findings, and alerts that stayed untold"),
        grant("bucket/chunks", "s3:PutObject GetObject DeleteObject", "chunks of sealed windows"),
        # Without it S3 answers that a chunk is forbidden where it is just not there.
        grant("bucket", "s3:ListBucket", "which chunks there are"),
        grant("self", "lambda:InvokeFunction", "the rest of what one run cannot do"),
    ),
    "report-generator": (
        *EVERY,
        grant("transactions", "dynamodb:BatchGetItem Query", "the day's audit"),
        grant("transactions/by-accepted", "dynamodb:Query", "the day's audit"),
        grant("transactions/by-time", "dynamodb:Query", "windows that are not sealed"),
        grant("transactions/by-death", "dynamodb:Query", "dead letters"),
        grant("state", "dynamodb:GetItem Query", "policies, days, late marks, how far the audit came"),
        grant("state/by-day", "dynamodb:Query", "the day's alerts"),
        grant("bucket/chunks", "s3:GetObject", "the windows of the day"),
        grant("bucket/reports", "s3:PutObject GetObject DeleteObject", "the report, its parts on the way"),
        grant("bucket", "s3:ListBucket", "which chunks and parts there are"),
        grant("self", "lambda:InvokeFunction", "the rest of what one run cannot do"),
    ),
}
"""Function → what it may do."""
