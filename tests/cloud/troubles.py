"""What goes wrong in the stories, and what time does."""

from __future__ import annotations

from typing import Any

from shroff.flows.seal import QUIET
from tests.cloud.cloud import Cloud


def spoil(cloud: Cloud, transaction_id: str) -> None:
    """What was accepted is damaged, in the table and on its way."""
    tables, queues = cloud.moto.client("dynamodb"), cloud.moto.client("sqs")
    tables.update_item(
        TableName=f"transactions-{cloud.suffix}",
        Key={"transaction_id": {"S": transaction_id}, "timestamp": {"N": "-1"}},
        UpdateExpression="SET body = :b",
        ExpressionAttributeValues={":b": {"B": b'{"transaction_id": 7'}},
    )
    kept = {each["MessageId"]: each for each in taken_from(cloud, cloud.poller.url)}
    for each in kept.values():
        attributes = {
            name: {"StringValue": value["StringValue"], "DataType": value["DataType"]}
            for name, value in each.get("MessageAttributes", {}).items()
        }
        body = '{"transaction_id": 7' if transaction_id in each["Body"] else each["Body"]
        queues.send_message(QueueUrl=cloud.poller.url, MessageBody=body, MessageAttributes=attributes)
        queues.delete_message(QueueUrl=cloud.poller.url, ReceiptHandle=each["ReceiptHandle"])


def taken_from(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """All messages of a queue, each received once more by that."""
    found: list[dict[str, Any]] = []
    while messages := cloud.moto.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages"):  # fmt: skip
        found += messages
    return found


def a_minute_passes(cloud: Cloud) -> int:
    """For alerts that nobody was told of, and some for late marks; returns how many alerts there were."""
    tables, name = cloud.moto.client("dynamodb"), f"state-{cloud.suffix}"
    waiting = tables.query(
        TableName=name, IndexName="untold", KeyConditionExpression="untold = :u",
        ExpressionAttributeValues={":u": {"S": "untold"}},
    )["Items"]  # fmt: skip
    for each in waiting:
        tables.update_item(
            TableName=name,
            Key={"pk": each["pk"], "sk": each["sk"]},
            UpdateExpression="SET raised_at = :t",
            ExpressionAttributeValues={":t": {"N": str(int(each["raised_at"]["N"]) - 61_000)}},
        )
    marks = tables.query(
        TableName=name, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "late"}}
    )["Items"]
    for each in marks:
        tables.update_item(
            TableName=name,
            Key={"pk": each["pk"], "sk": each["sk"]},
            UpdateExpression="SET #n = :t",
            ExpressionAttributeNames={"#n": "number"},
            ExpressionAttributeValues={":t": {"N": str(int(each["number"]["N"]) - QUIET - 1_000)}},
        )
    return len(waiting)
