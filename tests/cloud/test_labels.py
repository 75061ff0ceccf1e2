"""Labels on AWS: what is posted the next sweep learns, by its own zip, and decisions know of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.cloud.cloud import Cloud
from tests.cloud.ways import ask_for_labels

pytestmark = pytest.mark.timeout(600)


def decided(cloud: Cloud, name: str, ago: int) -> Any:
    """A payment at the shop so many seconds ago; how many frauds there were known to it."""
    body = {"transaction_id": name, "amount": 10, "timestamp": int(time.time()) - ago,
            "customer_id": "ann", "merchant": "shop"}  # fmt: skip
    answer = cloud.ask("POST", "/decisions", body)
    assert answer.status == 200, answer.body
    features = json.loads(answer.body)["features"]
    return features["customer_merchant.fraud_count_90d"]


def label(cloud: Cloud, name: str, word: str = "fraud") -> str:
    said = {"transaction_id": name, "label": word, "source": "chargeback"}
    answer = cloud.ask("POST", "/labels", said)
    assert answer.status == 202, answer.body
    return str(json.loads(answer.body)["status"])


def test_a_label_is_learned_by_the_next_sweep_once(cloud: Cloud) -> None:
    ask_for_labels(cloud)
    assert decided(cloud, "first", ago=600) == 0
    assert decided(cloud, "second", ago=500) == 0
    assert [label(cloud, name) for name in ("first", "first", "second", "unknown")] == [
        "accepted", "repeated", "accepted", "accepted"
    ]  # fmt: skip
    assert decided(cloud, "before", ago=0) == 0
    for _ in range(2):
        cloud.fire("sweep")
    time.sleep(1)  # known in one second, and seen by what occurs in a later one
    assert decided(cloud, "after", ago=0) == 2
    store = cloud.store()
    counts = store.labels.counts()
    store.close()
    assert (counts["learned"], counts["passed"], counts["fraud"]) == (2, 0, 3)
    assert decided(cloud, "late", ago=400) == 0, "it occurred before anything was known"
