"""kill -9 in the middle of ten thousand posts: nothing acknowledged is lost, nothing is counted twice."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from shroff.core.columns import Batch
from shroff.core.observe import observe
from shroff.core.policy_document import read_policy
from shroff.runtimes.wiring.embedded import open_embedded
from tests.stories.serving import Server, serving, start, transaction, until_decided

POSTS, CONNECTIONS = 10_000, 8


def post_all(port: int, numbers: range, acknowledged: list[str], half: Event) -> None:
    """Post each transaction until it is acknowledged, over as many connections as that takes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    deadline = time.monotonic() + 90
    for number in numbers:
        members = transaction(number)
        body = json.dumps(members).encode()
        while time.monotonic() < deadline:
            try:
                connection.request("POST", "/transactions", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.02)
                continue
            if answer.status == 202:
                acknowledged.append(members["transaction_id"])
                break
            assert answer.status == 503, answer.status
            time.sleep(0.02)
        if len(acknowledged) >= POSTS // 2:
            half.set()
    connection.close()


@pytest.mark.parametrize("victim", ["gateway", "worker", "parent"])
def test_killing_a_process_amid_posts_loses_nothing_and_counts_nothing_twice(
    tmp_path: Path, victim: str
) -> None:
    server = start(tmp_path)
    acknowledged: list[str] = []
    half = Event()
    parts = [range(first, POSTS, CONNECTIONS) for first in range(CONNECTIONS)]
    try:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            posts = [pool.submit(post_all, server.port, part, acknowledged, half) for part in parts]
            assert half.wait(60)
            server.kill(victim)
            if victim == "parent":
                server.process.wait(10)
                server = restarted(server)
            for each in posts:
                each.result()
        audit = until_decided(tmp_path)
    finally:
        server.stop()
    assert len(acknowledged) == POSTS
    assert audit == {"accepted": POSTS, "decided": POSTS, "dead_lettered": 0, "in_flight": 0, "missing": []}
    every_acknowledged_transaction_has_one_decision(tmp_path, acknowledged)


def test_a_worker_killed_while_the_gateway_starts_is_started_again(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for _ in range(3):
            server.kill("worker")
            number = time.monotonic_ns() % 10**6
            assert server.request("POST", "/decisions", transaction(number))[0] in (200, 202)
            assert until_decided(tmp_path, seconds=20)["in_flight"] == 0


def test_a_gateway_killed_twice_within_seconds_is_back_both_times(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for number in range(3):
            server.kill("gateway")
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    if server.request("POST", "/transactions", transaction(number))[0] == 202:
                        break
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
        assert until_decided(tmp_path)["decided"] == 3


def restarted(server: Server) -> Server:
    """Start again on the same port, as an operator would: the orphans let go of it by themselves."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return start(server.data, server.port)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def every_acknowledged_transaction_has_one_decision(data: Path, acknowledged: list[str]) -> None:
    embedded = open_embedded(data)
    records = [record for part in embedded.store.ledger.history() for record in part]
    assert sorted(record.transaction.transaction_id for record in records) == sorted(acknowledged)
    # Windows, from nothing and in one piece: what was decided across the crash must be the same to the bit.
    active = embedded.store.policies.active()
    assert active is not None
    policy = read_policy(active.document)
    features = observe(policy.empty_state(), Batch.of([record.transaction for record in records]))
    stored = np.array([np.frombuffer(record.decision.snapshot, "<f8") for record in records])
    np.testing.assert_array_equal(stored[:, : features.shape[1]], features)
    embedded.close()
