"""A day in the life: thousands of transactions through the API to the report, with all that goes wrong on
the way.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.cloud.cloud import Cloud
from tests.cloud.traffic import Body, recently, transactions
from tests.cloud.troubles import a_minute_passes, spoil, taken_from

pytestmark = pytest.mark.timeout(600)

SPAN = 45 * 60
COUNT = 2_000
POISON = ("poison-1", "poison-2")
BROKEN = "broken-1"
SLACK = 3
"""Machines that run tests are shared."""


@dataclass
class Day:
    """What was sent, and what came back."""

    cloud: Cloud
    folder: Path
    end: int
    valid: dict[str, Body] = field(default_factory=dict)
    answers: dict[str, list[int]] = field(default_factory=dict)
    deaths: list[dict[str, Any]] = field(default_factory=list)
    killed: int = 0
    struck: list[dict[str, str]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    letters: dict[str, Any] = field(default_factory=dict)

    @property
    def date(self) -> str:
        return datetime.fromtimestamp(self.end, UTC).date().isoformat()

    def note(self, what: str, status: int) -> None:
        self.answers.setdefault(what, []).append(status)


def command(cloud: Cloud, *words: str) -> Any:
    """What `shroff` answers for this stack, as an operator would run it."""
    line = [sys.executable, "-m", "shroff", *words, "--runtime", "aws", "--suffix", cloud.suffix]
    run = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, env=os.environ)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) if "--json" in words else run.stdout


@pytest.fixture(scope="module")
def day(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The whole day, once; the tests look at what became of it."""
    start, end = recently(SPAN)
    lived = Day(cloud, tmp_path_factory.mktemp("day"), int(end))
    told = listen(cloud)
    store = cloud.store()
    store.schedule.done("sweep", int(start) * 1000)
    store.close()
    poison(lived)
    send(lived, start, end)
    trouble(lived)
    cloud.fire("sweep")
    heal(lived)
    a_minute_passes(cloud)
    cloud.fire("sweep")
    lived.told = heard(cloud, told)
    tomorrow = datetime.fromisoformat(lived.date) + timedelta(days=1, hours=1)
    cloud.fire("report", f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}")
    return lived


def listen(cloud: Cloud) -> str:
    """A queue that hears what the alerts topic says."""
    sqs = cloud.moto.client("sqs")
    url: str = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.moto.client("sns").subscribe(
        TopicArn=cloud.outputs["alerts_topic_arn"], Protocol="sqs", Endpoint=arn
    )
    return url


def heard(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    return [json.loads(json.loads(each["Body"])["Message"]) for each in taken_from(cloud, url)]


def send(day: Day, start: float, end: float) -> None:
    """Batches, single posts and decisions; repetitions, conflicts and nonsense among them."""
    rows = transactions(COUNT, start, end)
    window = (start + 700) // 300 * 300
    burst = [
        {"transaction_id": f"burst-{n}", "amount": 5, "timestamp": window + 10 + n, "customer_id": "hasty",
         "merchant": "kiosk"} for n in range(15)
    ]  # fmt: skip
    day.valid |= {each["transaction_id"]: each for each in rows + burst}
    command(day.cloud, "lists", "add", "blocked_cards", "card-666")
    rows[COUNT - 60]["card_id"] = "card-666"
    batches, single, inline = rows[: COUNT - 350], rows[COUNT - 350 : COUNT - 50], rows[COUNT - 50 :]
    for some in [*(batches[first : first + 250] for first in range(0, len(batches), 250)), burst]:
        body = b"\n".join(json.dumps(each).encode() for each in some)
        answer = day.cloud.ask(
            "POST", "/transactions/batch", body, **{"Content-Type": "application/x-ndjson"}
        )
        assert answer.status == 200, answer.body
        for line in answer.body.splitlines():
            day.note("batch", json.loads(line)["status"])
    for number, each in enumerate(single):
        day.note("accepted", day.cloud.ask("POST", "/transactions", each).status)
        if number % 10 == 0:
            day.note("repeated", day.cloud.ask("POST", "/transactions", each).status)
            day.note("conflict", day.cloud.ask("POST", "/transactions", {**each, "amount": 1e6 + 1}).status)
    for each in inline:
        day.note("decision", day.cloud.ask("POST", "/decisions", each).status)
    for body in (b"{", b"[]", b'{"amount": 1}', b'{"transaction_id": "x", "amount": -1, "timestamp": 1}',
                 b'{"transaction_id": "x", "amount": 1, "timestamp": 1700000000000}', b""):  # fmt: skip
        day.note("invalid", day.cloud.ask("POST", "/transactions", body).status)
    day.note("no key", day.cloud.gateway.request("POST", "/transactions", b"{}").status)


def poison(day: Day) -> None:
    """Two that no attempt can commit, and one whose body nobody can read, amid sound ones."""
    for name in POISON:
        body = {
            "transaction_id": name,
            "amount": 10,
            "timestamp": day.end,
            "customer_id": name,
            "merchant": "shop-1",
        }
        day.valid[name] = body
        day.note("poison", day.cloud.ask("POST", "/transactions", body).status)
    broken = {"transaction_id": BROKEN, "amount": 10, "timestamp": day.end}
    day.note("poison", day.cloud.ask("POST", "/transactions", broken).status)
    spoil(day.cloud, BROKEN)
    day.cloud.moto.fail(*(
        {"service": "dynamodb", "action": "TransactWriteItems", "body": name, "how": "invalid", "times": 999}
        for name in POISON
    ))  # fmt: skip


def trouble(day: Day) -> None:
    """Two consumers; one is killed in the middle, answers are lost or late after they took effect."""
    cloud, consumer = day.cloud, day.cloud.named("queue-consumer")
    faults = cloud.moto.ask("local-cloud/faults")

    def kill() -> None:
        for _ in range(3):
            before = len(cloud.poller.batches)
            while len(cloud.poller.batches) < before + 15:
                time.sleep(0.005)
            day.killed += consumer.kill_busy()

    commits = {"service": "dynamodb", "action": "TransactWriteItems", "who": "consumer"}
    cloud.moto.fail(
        *faults,
        {**commits, "how": "lost", "skip": 20, "times": 3},
        {**commits, "how": "refused", "skip": 30},
        {"service": "dynamodb", "action": "BatchGetItem", "who": "consumer", "how": "throttled", "skip": 30},
        {"service": "sns", "action": "Publish", "who": "consumer", "how": "refused", "times": 3},
        {**commits, "how": "slow", "seconds": 6,
         "skip": 40},
    )  # fmt: skip
    killer = Thread(target=kill, daemon=True)
    killer.start()
    cloud.poller.drain(pollers=2)
    killer.join(30)
    day.deaths = taken_from(cloud, cloud.outputs["dlq_url"])
    for each in day.deaths:
        cloud.moto.client("sqs").change_message_visibility(
            QueueUrl=cloud.outputs["dlq_url"], ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
        )


def heal(day: Day) -> None:
    """The cause is gone; what died is redriven, and what could not be read is mended by hand first."""
    cloud = day.cloud
    day.struck = cloud.moto.struck()
    cloud.moto.fail()
    day.letters = {each["transaction_id"]: each for each in command(cloud, "dead-letters", "list", "--json")}
    mended = {"transaction_id": BROKEN, "amount": 10, "timestamp": day.end}
    day.valid[BROKEN] = mended
    file = day.folder / "mended.json"
    file.write_text(json.dumps(mended))
    command(cloud, "dead-letters", "edit", BROKEN, "--file", str(file))
    command(cloud, "dead-letters", "redrive", "--all")
    cloud.poller.drain()


def test_every_request_is_answered_as_on_one_machine(day: Day) -> None:
    expected = {
        "batch": {202}, "accepted": {202}, "repeated": {202}, "conflict": {409}, "decision": {200},
        "invalid": {400}, "no key": {401}, "poison": {202},
    }  # fmt: skip
    assert {what: set(statuses) for what, statuses in day.answers.items()} == expected


def test_every_valid_transaction_is_decided_once_and_the_audit_is_clean(day: Day) -> None:
    store = day.cloud.store()
    records = [record for some in store.ledger.history() for record in some]
    store.close()
    ids = [record.transaction.transaction_id for record in records]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(day.valid)
    found = command(day.cloud, "audit", "--json")
    count = len(day.valid)
    assert found == {"accepted": count, "decided": count, "dead_lettered": 0, "in_flight": 0, "missing": []}


def test_what_went_wrong_really_did(day: Day) -> None:
    """Faults that struck nobody would prove nothing."""
    assert {each["how"] for each in day.struck} == {"invalid", "lost", "refused", "throttled", "slow"}
    assert day.killed >= 1


def test_poison_is_dead_after_exactly_three_receives_and_takes_no_neighbour_with_it(day: Day) -> None:
    dead = {each["MessageAttributes"]["transaction_id"]["StringValue"]: each for each in day.deaths}
    assert set(dead) == {*POISON, BROKEN}
    for name in POISON:
        # Three by the consumer, and one by whoever looked into the dead-letter queue here.
        assert dead[name]["Attributes"]["ApproximateReceiveCount"] == "4"
        assert len(day.letters[name]["failures"]) == 3


def test_what_cannot_be_read_is_a_dead_letter_at_once_with_its_cause(day: Day) -> None:
    assert len(day.letters[BROKEN]["failures"]) == 1
    (dead,) = (each for each in day.deaths if BROKEN in json.dumps(each["MessageAttributes"]))
    assert "not a stored transaction" in dead["MessageAttributes"]["cause"]["StringValue"]


def test_every_alert_is_told_on_the_topic_the_sweeps_too(day: Day) -> None:
    told = [(each["rule"], each["key"]) for each in day.told if each["rule"].startswith("high_")]
    assert ("high_frequency", "hasty") in told
    ids = [each["alert_id"] for each in day.told]
    store = day.cloud.store()
    now = int(time.time() * 1000)
    kept = store.alerts.between(now - 2 * 86_400_000, now)
    untold = store.alerts.untold(10)
    store.close()
    assert set(ids) == {alert.alert_id for alert in kept}
    assert untold == []


def test_the_report_is_in_the_bucket_and_has_every_transaction_of_the_day(day: Day) -> None:
    s3, bucket = day.cloud.moto.client("s3"), day.cloud.outputs["s3_bucket_name"]
    text = (
        s3.get_object(Bucket=bucket, Key=f"reports/{day.date}/fraud-detection-report.csv")["Body"]
        .read()
        .decode()
    )
    reported = {row["transaction_id"] for row in csv.DictReader(text.splitlines())}
    assert reported == set(day.valid)
    document = json.loads(
        s3.get_object(Bucket=bucket, Key=f"reports/{day.date}/fraud-detection-report.json")["Body"].read()
    )
    assert document["audit"]["decided"] == len(day.valid)


def test_swept_windows_are_chunks_of_plain_lines(day: Day) -> None:
    s3, bucket = day.cloud.moto.client("s3"), day.cloud.outputs["s3_bucket_name"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="chunks/v1/")
    keys = [each["Key"] for page in pages for each in page["Contents"] if each["Key"].endswith(".gz")]
    lines = [
        json.loads(line)
        for key in keys
        for line in gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).splitlines()
    ]
    ids = [each["transaction"]["transaction_id"] for each in lines]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(day.valid)


def test_the_metrics_that_alarms_watch_are_recorded(day: Day) -> None:
    found = day.cloud.moto.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace="Shroff")
    recorded = {
        (each["MetricName"], tuple(sorted((pair["Name"], pair["Value"]) for pair in each["Dimensions"])))
        for page in found
        for each in page["Metrics"]
    }
    alarms = [each.inputs for each in day.cloud.applied.of("aws:cloudwatch/metricAlarm:MetricAlarm")]
    single = [each for each in alarms if each.get("namespace")]
    terms = [
        query["metric"] for each in alarms for query in each.get("metricQueries") or [] if query.get("metric")
    ]
    watched = {
        (each["metricName"], tuple(sorted(each["dimensions"].items())))
        for each in (*single, *terms)
        if each["namespace"] == "Shroff"
    }
    assert watched
    assert watched <= recorded


def test_no_role_was_refused_what_lambda_does_for_it(day: Day) -> None:
    assert day.cloud.platform.refused == []


def test_a_handler_starts_cold_within_a_second_and_a_half(day: Day) -> None:
    starts = {name: max(each.cold_starts) for name, each in day.cloud.functions.items()}
    assert all(seconds < 1.5 * SLACK for seconds in starts.values()), starts
