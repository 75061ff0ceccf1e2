"""An environment in moto: the tables and queues as the stack declares them, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import boto3
from moto import mock_aws

from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.names import Names
from shroff.adapters.aws.store import AwsStore
from tests.adapters import moto_tables
from tests.adapters.shelves import REGION, bucket, client, state_table

_numbers = count(1)


@dataclass
class Watch:
    """A clock that stands still until it is moved."""

    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@contextmanager
def cloud() -> Iterator[Callable[..., AwsStore]]:
    """AWS in this process; what it yields makes an empty environment each time."""
    moto_tables.mend()
    with mock_aws():
        yield environment


def environment(clients: Clients | None = None, *, shards: int = 3, clock: Any = None) -> AwsStore:
    suffix = f"test-{next(_numbers)}"
    state_table(f"state-{suffix}")
    transactions_table(f"transactions-{suffix}")
    sqs = client("sqs")
    urls = [
        sqs.create_queue(QueueName=f"transaction-{kind}-{suffix}")["QueueUrl"] for kind in ("queue", "dlq")
    ]
    bucket(f"shroff-reports-{suffix}-123456789012")
    names = Names(
        transactions=f"transactions-{suffix}",
        state=f"state-{suffix}",
        queue_url=urls[0],
        dlq_url=urls[1],
        bucket=f"shroff-reports-{suffix}-123456789012",
        alerts_topic=client("sns").create_topic(Name=f"alerts-{suffix}")["TopicArn"],
    )
    return AwsStore(clients or session_clients(), names, shards=shards, clock=clock or Watch())


@cache
def session_clients() -> Clients:
    """Clients as the functions have them, of nobody in particular."""
    session = boto3.Session(region_name=REGION, aws_access_key_id="nobody", aws_secret_access_key="nothing")
    return Clients(session)


def transactions_table(name: str) -> None:
    numbers = ("timestamp", "received_at", "occurred_at", "died_at")
    texts = ("transaction_id", "accepted_in", "occurred_in", "dead")
    included = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["occurred_at", "dead"]}
    whole = {"ProjectionType": "ALL"}
    client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in texts]
        + [{"AttributeName": each, "AttributeType": "N"} for each in numbers],
        KeySchema=_schema("transaction_id", "timestamp"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-accepted",
                "KeySchema": _schema("accepted_in", "received_at"),
                "Projection": included,
            },
            {"IndexName": "by-time", "KeySchema": _schema("occurred_in", "occurred_at"), "Projection": whole},
            {"IndexName": "by-death", "KeySchema": _schema("dead", "died_at"), "Projection": whole},
        ],
    )


def _schema(hash_: str, range_: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_, "KeyType": "HASH"}, {"AttributeName": range_, "KeyType": "RANGE"}]
