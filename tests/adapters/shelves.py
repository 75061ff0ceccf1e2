"""The state table, a bucket and a topic in moto, as the stack declares them."""

from __future__ import annotations

from typing import Any

import boto3

TABLE, BUCKET, REGION = "state-test", "shroff-reports-test", "eu-central-1"


def client(service: str) -> Any:
    return boto3.client(
        service, region_name=REGION, aws_access_key_id="nobody", aws_secret_access_key="nothing"
    )


def state_table(name: str = TABLE) -> Any:
    """A new, empty state table; returns the client."""
    dynamodb = client("dynamodb")
    texts, numbers = ("pk", "sk", "day", "untold", "pending"), ("occurred_at", "raised_at", "look_at")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in texts]
        + [{"AttributeName": each, "AttributeType": "N"} for each in numbers],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            _index("by-day", "day", "occurred_at"),
            _index("untold", "untold", "raised_at"),
            _index("pending", "pending", "look_at"),
        ],
    )
    return dynamodb


def bucket(name: str = BUCKET) -> Any:
    """A new, empty bucket; returns the client."""
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


def _index(name: str, hash_: str, range_: str) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": _schema(hash_, range_), "Projection": {"ProjectionType": "ALL"}}


def _schema(hash_: str, range_: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_, "KeyType": "HASH"},
        {"AttributeName": range_, "KeyType": "RANGE"},
    ]
