"""The four functions as Lambda calls them, over AWS's services in this process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from shroff.runtimes.lambdas import api, consumer, report, sweep
from tests.adapters.aws_cloud import cloud, session_clients
from tests.adapters.shelves import REGION
from tests.api.served import example
from tests.runtimes.events import by_id, event
from tests.runtimes.twins import context, now

HANDLERS = (api, consumer, sweep, report)
TOLD = ("ShiftedColumns", "SilentRules", "SpikingRules")


class Stack:
    """One environment, with the queue between its functions."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.clients = session_clients()

    def api(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        return api.handler(event(method, path, body), context())

    def post(self, path: str = "/transactions", **members: Any) -> tuple[int, dict[str, Any]]:
        answer = self.api("POST", path, json.dumps(example(**members)).encode())
        return answer["statusCode"], json.loads(answer["body"])

    def received(self, url: str | None = None) -> list[dict[str, Any]]:
        found = self.clients.sqs.receive_message(
            QueueUrl=url or self.store.cloud.names.queue_url,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=0,
        )
        return [_as_event(each) for each in found.get("Messages", [])]

    def consume(self) -> list[str]:
        records = self.received()
        answer = consumer.handler({"Records": records}, context(30_000))
        again = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for each in records:
            if each["messageId"] not in again:
                self.clients.sqs.delete_message(
                    QueueUrl=self.store.cloud.names.queue_url, ReceiptHandle=each["receiptHandle"]
                )
        return sorted(again)


def _as_event(message: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {
            "stringValue": each["StringValue"],
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": each["DataType"],
        }
        for name, each in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:transaction-queue",
        "awsRegion": REGION,
    }


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with cloud() as environment:
        store = environment(clock=now)
        names = store.cloud.names
        told = {
            "AWS_DEFAULT_REGION": REGION,
            "SHROFF_SUFFIX": "test",
            "SHROFF_TRANSACTIONS_TABLE": names.transactions,
            "SHROFF_STATE_TABLE": names.state,
            "SHROFF_QUEUE_URL": names.queue_url,
            "SHROFF_DLQ_URL": names.dlq_url,
            "SHROFF_BUCKET": names.bucket,
            "SHROFF_ALERTS_TOPIC": names.alerts_topic,
            "SHROFF_SHARDS": "3",
            "SHROFF_SWEEP_DELAY": "0",
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        # Set up once in a process, logging would stay so for every test after this one.
        monkeypatch.setattr("shroff.runtimes.wiring.cloud.begin_logs", lambda _: None)
        for each in HANDLERS:
            each._opened.cache_clear()
        yield Stack(store)
        for each in HANDLERS:
            each._opened.cache_clear()
        store.close()


def test_a_transaction_goes_from_the_api_to_its_decision(stack: Stack):
    status, receipt = stack.post(transaction_id="t/1")
    assert (status, receipt["transaction_id"]) == (202, "t/1")
    assert json.loads(stack.api("GET", by_id("t/1"))["body"])["status"] == "accepted"
    assert stack.consume() == []
    shown = json.loads(stack.api("GET", by_id("t/1"))["body"])
    assert (shown["status"], shown["decision"]["outcome"]) == ("decided", "approve")
    assert stack.post(transaction_id="t/1") == (202, receipt)
    assert stack.post(transaction_id="t/1", amount=3)[0] == 409
    assert stack.consume() == []
    assert stack.store.ledger.totals()["decided"] == 1


def test_a_decision_is_made_at_once_and_kept(stack: Stack):
    status, first = stack.post("/decisions", transaction_id="d")
    assert status == 200
    assert stack.received() == []
    assert stack.post("/decisions", transaction_id="d") == (200, first)
    assert json.loads(stack.api("GET", by_id("d"))["body"])["decision"] == first


def test_both_ways_to_a_decision_see_each_other(stack: Stack):
    for number in range(3):
        stack.post(transaction_id=f"q-{number}", timestamp=1_700_000_000 + number)
    stack.consume()
    _, decision = stack.post("/decisions", transaction_id="d", timestamp=1_700_000_010)
    assert decision["features"]["customer.count_5m"] == 3.0


def test_poison_on_the_queue_ends_in_the_dead_letters_and_its_neighbours_do_not(stack: Stack):
    names = stack.store.cloud.names
    stack.clients.sqs.send_message(QueueUrl=names.queue_url, MessageBody="not ours at all")
    stack.clients.sqs.send_message(
        QueueUrl=names.queue_url,
        MessageBody="{}",
        MessageAttributes={"received_at": {"DataType": "String", "StringValue": "noon"}},
    )
    stack.post(transaction_id="good")
    again = stack.consume()
    assert stack.store.ledger.find("good") is not None
    assert again == []
    buried = stack.received(names.dlq_url)
    causes = [each["messageAttributes"]["cause"]["stringValue"] for each in buried]
    assert len(causes) == 2
    assert all("not a stored transaction" in each for each in causes)
    assert len(list(stack.store.dead_letters.all())) == 2


def test_a_large_transaction_is_left_in_the_table_and_decided_all_the_same(stack: Stack):
    notes = {f"note_{number}": "\N{GRINNING FACE}" * 1_000 for number in range(60)}
    body = json.dumps(example(transaction_id="large", **notes), ensure_ascii=False).encode()
    assert stack.api("POST", "/transactions", body)["statusCode"] == 202
    assert stack.received()[0]["body"] == "{}"
    assert stack.consume() == []
    record = stack.store.ledger.find("large")
    assert record is not None
    assert record.transaction.attributes == notes


def test_a_sweep_seals_and_a_report_is_written(stack: Stack, capsys: pytest.CaptureFixture[str]):
    at = now() // 1_000
    for number in range(12):
        stack.post(transaction_id=f"s-{number}", timestamp=at - 400)
    while stack.received():
        assert stack.consume() == []
    assert sweep.handler({}, context(900_000)) == {"done": True}
    day = report.day_of({}, now())
    assert stack.store.schedule.last("audited") is not None
    written = report.handler({"date": day.isoformat()}, context(900_000))
    assert [each.rpartition(".")[2] for each in written["files"]] == ["csv", "json", "html"]
    bucket = stack.store.cloud.names.bucket
    keys = [each["Key"] for each in stack.clients.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert any(key.startswith("chunks/v1/") for key in keys)
    assert f"reports/{day.isoformat()}/watch.json" in keys
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "SilentRules" in line]
    assert [{name: each[name] for name in TOLD} for each in told] == [dict.fromkeys(TOLD, 0)]
    parts = [key for key in keys if key.endswith(".ndjson.gz")]
    for key in parts:
        body = stack.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert all(json.loads(line) for line in gzip.decompress(body).splitlines())


def test_a_run_without_time_is_gone_on_with_by_another(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    invoked: list[tuple[str, Any]] = []
    deployed, _ = sweep._opened()
    monkeypatch.setattr(deployed, "invoke", lambda *given: invoked.append(given))
    assert sweep.handler({}, context(59_000)) == {"done": False}
    assert invoked == [(context().invoked_function_arn, {"continue": True})]
    deployed, _ = report._opened()
    monkeypatch.setattr(deployed, "invoke", lambda *given: invoked.append(given))
    assert report.handler({"date": "2023-11-14"}, context(59_000))["files"] is None
    assert invoked[1][1] == {"date": "2023-11-14", "continue": True}
    assert report.handler(invoked[1][1], context(900_000))["files"] is not None
