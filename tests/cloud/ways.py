"""Ways to use each function, so that together they need every permission of its role."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from msgspec.structs import replace

from shroff.codec import encode_transaction
from shroff.core.policy_document import read_policy
from shroff.core.transaction import Transaction
from shroff.flows.publish import publish
from shroff.ports import Entry, Failure
from shroff.runtimes.wiring import default_policy
from tests.cloud.cloud import Cloud
from tests.cloud.troubles import a_minute_passes, spoil

Way = Callable[[Cloud], None]


def body(**members: Any) -> dict[str, Any]:
    base = {
        "transaction_id": f"p-{time.monotonic_ns()}", "amount": 10, "timestamp": int(time.time()) - 600,
        "customer_id": "somebody", "merchant": "somewhere",
    }  # fmt: skip
    return base | members


def post(cloud: Cloud, **members: Any) -> str:
    given = body(**members)
    cloud.ask("POST", "/transactions", given)
    return str(given["transaction_id"])


def blocked(cloud: Cloud) -> str:
    """A card that is on the blocklist from now on: one that was seen before raises no new alert."""
    card = f"card-{time.monotonic_ns()}"
    store = cloud.store()
    store.lists.add("blocked_cards", [(card, None)])
    store.close()
    return card


def ask_api(cloud: Cloud) -> None:
    """From a cold start, so that nothing is remembered of the queue or the policy."""
    cloud.named("api-handler").go_cold()
    given = body()
    for _ in range(2):
        cloud.ask("POST", "/transactions", given)
    cloud.ask("GET", f"/transactions/{given['transaction_id']}")
    cloud.ask("POST", "/decisions", body(card_id=blocked(cloud)))
    cloud.ask("POST", "/decisions", given)
    cloud.ask("GET", "/ready")


def consume(cloud: Cloud) -> None:
    cloud.named("queue-consumer").go_cold()
    post(cloud, card_id=blocked(cloud))
    post(cloud)
    cloud.poller.drain(seconds=10)


def first_policy(cloud: Cloud) -> None:
    """A new stack publishes its first policy itself."""
    tables, name = cloud.moto.client("dynamodb"), f"state-{cloud.suffix}"
    found = tables.query(
        TableName=name, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "policy"}}
    )["Items"]
    for each in found:
        tables.delete_item(TableName=name, Key={"pk": each["pk"], "sk": each["sk"]})


def bury(cloud: Cloud) -> None:
    name = post(cloud)
    spoil(cloud, name)
    cloud.poller.drain(seconds=10)


def fail_once(cloud: Cloud) -> None:
    name = post(cloud)
    cloud.moto.fail(
        {"service": "dynamodb", "action": "TransactWriteItems", "body": name, "how": "invalid", "times": 9}
    )
    cloud.poller.once()
    cloud.moto.fail()
    cloud.poller.drain(seconds=10)


def large(cloud: Cloud) -> None:
    """A body that does not travel with its message."""
    given = body(**{f"note_{n}": "\N{COIN}" * 1_000 for n in range(60)})
    cloud.ask("POST", "/transactions", json.dumps(given, ensure_ascii=False).encode())
    cloud.poller.drain(seconds=10)


def put_back(cloud: Cloud) -> None:
    """Others are first until there is no time left."""
    consumer, name = cloud.named("queue-consumer"), post(cloud)
    patience, consumer.settings.timeout = consumer.settings.timeout, 10.5
    cloud.moto.fail(
        {"service": "dynamodb", "action": "TransactWriteItems", "body": name, "how": "conflict", "times": 99}
    )
    cloud.poller.once()
    cloud.moto.fail()
    consumer.settings.timeout = patience


def lose(short: str) -> Way:
    """An asynchronous run that fails to its last attempt."""

    def way(cloud: Cloud) -> None:
        table = {"service": "dynamodb", "action": "GetItem", "who": short, "how": "invalid", "times": 99}
        cloud.moto.fail(table, {**table, "action": "Query"}, {**table, "action": "BatchGetItem"})
        cloud.soon(f"{short}-{cloud.suffix}", json.dumps({"Records": [{}], "date": 5}).encode())
        with suppress(ClientError):
            cloud.settle()
        cloud.moto.fail()

    return way


def look_back(cloud: Cloud) -> None:
    """Late marks, alerts that nobody was told of, transactions that nobody was sent."""
    cloud.moto.fail({"service": "sns", "action": "Publish", "who": "consumer", "how": "refused", "times": 99})
    consume(cloud)
    cloud.moto.fail()
    forget_to_send(cloud)
    give_up_alone(cloud)
    a_minute_passes(cloud)
    tick = rewind(cloud)
    customer = f"hasty-{time.monotonic_ns()}"
    for n in range(11):
        cloud.ask("POST", "/decisions", body(timestamp=tick + 10 + n, customer_id=customer))
    cloud.fire("sweep")


def learn(cloud: Cloud) -> None:
    """A label of what was decided, by a policy that asks for labels."""
    ask_for_labels(cloud)
    given = body()
    cloud.ask("POST", "/decisions", given)
    said = {"transaction_id": given["transaction_id"], "label": "fraud", "source": "analyst"}
    cloud.ask("POST", "/labels", said)
    cloud.named("batch-processor").go_cold()
    cloud.fire("sweep")


def ask_for_labels(cloud: Cloud) -> None:
    store = cloud.store()
    active = store.policies.active()
    document = default_policy() if active is None else active.document
    if "customer_merchant.fraud_count_90d" not in read_policy(document).feature_names:
        entities, features = document.split("[features]")
        few = "customer_merchant = ["
        assert few in features
        features = features.replace(few, few + '"fraud_count_90d", ', 1)
        publish(store.policies, f"{entities}[features]{features}", int(time.time() * 1000))
    store.close()


def forget_to_send(cloud: Cloud) -> str:
    long_ago = int(time.time() * 1000) - 700_000
    name = f"forgotten-{time.monotonic_ns()}"
    given = Transaction(transaction_id=name, amount_minor=500, currency="USD", occurred_at=long_ago)
    store = cloud.store()
    store.queue.keep([Entry(transaction_id=name, body=encode_transaction(given), received_at=long_ago)])
    store.close()
    return name


def give_up_alone(cloud: Cloud) -> None:
    """Two messages in the dead-letter queue of which no function knows: one undecided, one decided."""
    queues = cloud.moto.client("sqs")
    done = str(body(timestamp=int(time.time()) - 500)["transaction_id"])
    cloud.ask("POST", "/decisions", body(transaction_id=done))
    for name in (done, post(cloud)):
        queues.send_message(
            QueueUrl=cloud.outputs["dlq_url"],
            MessageBody="{}",
            MessageAttributes={
                "transaction_id": {"DataType": "String", "StringValue": name},
                "received_at": {"DataType": "Number", "StringValue": str(int(time.time() * 1000))},
            },
        )


def rewind(cloud: Cloud) -> int:
    """The sweep's clocks stand as they did a quarter of an hour ago: at this second."""
    tables = cloud.moto.client("dynamodb")
    tick = str((int(time.time() * 1000) - 900_000) // 300_000 * 300_000)
    for job in ("audited", "sealed", "sweep", "looked"):
        item = {"pk": {"S": "schedule"}, "sk": {"S": job}, "tick": {"N": tick}}
        tables.put_item(TableName=f"state-{cloud.suffix}", Item=item)
    return int(tick) // 1000


def report(cloud: Cloud) -> None:
    """Of a day in which a dead letter was edited: what became of it is not under the moment it had."""
    rewind(cloud)
    name, store = forget_to_send(cloud), cloud.store()
    message = store.queue.find(name)
    assert message is not None
    store.dead_letters.bury(replace(message, failures=(Failure(at=message.received_at, cause="planted"),)))
    assert store.dead_letters.edit(name, message.body)
    store.close()
    a_minute_passes(cloud)
    cloud.fire("sweep")  # what is marked is sealed again: a report reads no chunk that has a mark
    cloud.fire("report", time.strftime("%Y-%m-%dT01:00:00Z", time.gmtime(time.time() + 86_400)))


def go_on(short: str) -> Way:
    """A run that has no time left asks for the next."""

    def way(cloud: Cloud) -> None:
        function = cloud.named(short)
        patience, function.settings.timeout = function.settings.timeout, 59
        cloud.deaf = True
        cloud.run(function.settings.name, {"time": time.strftime("%Y-%m-%dT01:00:00Z")})
        cloud.deaf, function.settings.timeout = False, patience

    return way


WAYS: dict[str, list[Way]] = {
    "api-handler": [first_policy, ask_api, lose("api-handler")],
    "queue-consumer": [first_policy, consume, bury, fail_once, large, put_back, lose("queue-consumer")],
    "batch-processor": [look_back, look_back, learn, go_on("batch-processor"), lose("batch-processor")],
    "report-generator": [report, go_on("report-generator"), lose("report-generator")],
}
