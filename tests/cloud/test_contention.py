"""Two consumers on one merchant: every transaction decided once, the entity split, nothing of it lost."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from shroff.codec import decode_part
from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.parts import merge
from shroff.core.policy_document import read_policy
from shroff.flows.decide import generation_of
from tests.cloud.cloud import Cloud

pytestmark = pytest.mark.timeout(600)

COUNT, CONSUMERS = 400, 3
HOT = "everybody's shop"


@pytest.fixture(scope="module")
def crowded(cloud: Cloud) -> Cloud:
    """Hundreds of customers at one merchant, decided by several consumers side by side."""
    now = int(time.time()) - 900
    lines = [
        {"transaction_id": f"hot-{n}", "amount": 1 + n % 50, "timestamp": now + n // 2,
         "customer_id": f"c-{n}", "merchant": HOT} for n in range(COUNT)
    ]  # fmt: skip
    for first in range(0, COUNT, 200):
        body = b"\n".join(json.dumps(each).encode() for each in lines[first : first + 200])
        cloud.ask("POST", "/transactions/batch", body, **{"Content-Type": "application/x-ndjson"})
    cloud.poller.drain(pollers=CONSUMERS)
    return cloud


def test_every_transaction_is_decided_once_and_the_audit_is_clean(crowded: Cloud) -> None:
    found = crowded.audit()
    assert found["decided"] == found["accepted"] == COUNT
    assert (found["missing"], found["strays"], found["dead_lettered"]) == ([], 0, 0)


def test_the_consumers_really_met(crowded: Cloud) -> None:
    assert metric(crowded, "Contended") > 0


def test_the_hot_entity_is_split(crowded: Cloud) -> None:
    assert shards(crowded) > 1


def test_its_parts_together_are_what_one_worker_would_remember(crowded: Cloud) -> None:
    store = crowded.store()
    active = store.policies.active()
    assert active is not None
    policy = read_policy(active.document)
    records = sorted(
        (record for some in store.ledger.history() for record in some),
        key=lambda each: (each.seq, each.transaction.transaction_id),
    )
    (part,) = store.entities.load(generation_of(policy), [("merchant", HOT)])
    store.close()
    alone = policy.empty_state()
    observe(alone, Batch.of([record.transaction for record in records]))
    layout = next(each for each in policy.layouts if each.entity == "merchant")
    kept = [decode_part(each) for each in (part.state, *part.others) if each is not None]
    together = policy.empty_state()
    together.give("merchant", HOT, merge(layout, kept))
    probe = Batch.of([records[-1].transaction])
    names = [each.startswith("merchant.") for each in feature_names(policy)]
    np.testing.assert_allclose(observe(together, probe)[0][names], observe(alone, probe)[0][names])


def feature_names(policy: Any) -> list[str]:
    return [str(name) for name in policy.feature_names]


def shards(cloud: Cloud) -> int:
    tables = cloud.moto.client("dynamodb")
    pages = tables.get_paginator("scan").paginate(
        TableName=f"state-{cloud.suffix}",
        FilterExpression="contains(pk, :hot) AND sk = :first",
        ExpressionAttributeValues={":hot": {"S": f"#merchant#{HOT}"}, ":first": {"S": "00"}},
    )
    (item,) = (each for page in pages for each in page["Items"])
    return int(item.get("shards", {"N": "1"})["N"])


def metric(cloud: Cloud, name: str) -> float:
    """The sum of one of the functions' own metrics, from their logs."""
    total = 0.0
    for lines in cloud.platform.lines.values():
        for line in lines:
            if '"_aws"' in line:
                value = json.loads(line).get(name, 0)
                total += sum(value) if isinstance(value, list) else value
    return total
