"""One golden stream, on one machine and on AWS: the same decisions, features included, byte for byte."""

from __future__ import annotations

import http.client
import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shroff.ports import Record
from shroff.runtimes.wiring.embedded import open_embedded
from shroff.simulator import simulate
from tests.cloud.cloud import Cloud
from tests.stories.serving import serving, until_decided

pytestmark = pytest.mark.timeout(600)

COUNT = 1_500
TOGETHER = 10
"""Lines of a post: what SQS takes in one call keeps its order, and parity is about one order."""


@pytest.fixture(scope="module")
def stream() -> list[bytes]:
    """Simulated transactions with every member, fraud among them, as lines to post."""
    made = islice(simulate(days=30, customers=80, seed=11, fraud_rate=0.05), COUNT)
    return [json.dumps(each.body).encode() for each in made]


def posts(stream: list[bytes]) -> list[bytes]:
    return [b"\n".join(stream[first : first + TOGETHER]) for first in range(0, len(stream), TOGETHER)]


@pytest.fixture(scope="module")
def embedded(stream: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    folder: Path = tmp_path_factory.mktemp("embedded")
    with serving(folder) as server:
        for body in posts(stream):
            post(server.port, body)
        assert until_decided(folder)["decided"] == COUNT
    opened = open_embedded(folder)
    found = by_id(opened.store.ledger.history())
    opened.close()
    return found


@pytest.fixture(scope="module")
def on_aws(stream: list[bytes], cloud: Cloud) -> dict[str, Record]:
    for body in posts(stream):
        answer = cloud.ask("POST", "/transactions/batch", body, **{"Content-Type": "application/x-ndjson"})
        assert answer.status == 200, answer.body
    cloud.poller.drain()
    store = cloud.store()
    found = by_id(store.ledger.history())
    store.close()
    return found


def post(port: int, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/transactions/batch", body, {"Content-Type": "application/x-ndjson"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.close()


def by_id(history: Any) -> dict[str, Record]:
    return {record.transaction.transaction_id: record for some in history for record in some}


def test_both_runtimes_decide_the_golden_stream_identically(
    embedded: dict[str, Record], on_aws: dict[str, Record]
) -> None:
    assert len(embedded) == COUNT
    assert embedded.keys() == on_aws.keys()
    for name, here in embedded.items():
        there = on_aws[name]
        assert there.transaction == here.transaction
        assert values(there) == values(here), name
        for member in ("outcome", "score", "reasons", "policy_version", "snapshot"):
            assert getattr(there.decision, member) == getattr(here.decision, member), (name, member)


def values(record: Record) -> list[str]:
    """The features as text, so that a difference can be read."""
    return [value.hex() for value in np.frombuffer(record.decision.snapshot, "<f8").tolist()]


def test_the_golden_stream_has_something_to_decide(embedded: dict[str, Record]) -> None:
    """A stream in which all is approved would prove little."""
    assert {record.decision.outcome for record in embedded.values()} > {"approve"}
    assert any(record.decision.reasons for record in embedded.values())
