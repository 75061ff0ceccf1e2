"""Stories of a served data folder, told through HTTP and the command line only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from shroff.adapters.sqlite import SqliteQueue
from shroff.ports import Entry
from tests.stories.serving import Server, answer, serving, shroff, start, transaction, until_decided

EXAMPLE = {
    "transaction_id": "txn-12345",
    "amount": 99.99,
    "timestamp": 1700000000,
    "customer_id": "cust-001",
    "merchant": "Test Merchant",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_the_example_of_the_contract_is_accepted_decided_and_shown(server: Server) -> None:
    status, body = server.request("POST", "/transactions", EXAMPLE)
    assert status == 202
    message_id = body.pop("message_id")
    assert body == {"message": "Transaction accepted for processing", "transaction_id": "txn-12345"}
    assert message_id
    until_decided(server.data)
    shown = answer("transactions", "show", "txn-12345", "--data", server.data)
    assert shown["transaction"]["amount"] == "99.99"
    assert shown["decision"]["outcome"] == "approve"
    assert server.request("GET", "/transactions/txn-12345") == (200, shown)


def test_a_hundred_concurrent_posts_of_one_transaction_get_equal_answers_and_one_decision(
    server: Server,
) -> None:
    body = transaction(1, transaction_id="the-one")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.request("POST", "/transactions", body), range(100)))
    assert {status for status, _ in answers} == {202}
    assert len({json.dumps(each, sort_keys=True) for _, each in answers}) == 1
    before = answer("audit", "--data", server.data)["accepted"]
    assert server.request("POST", "/transactions", {**body, "amount": 1})[0] == 409
    assert until_decided(server.data)["decided"] == before


def test_a_decision_is_answered_at_once_and_is_the_stored_one(server: Server) -> None:
    status, decision = server.request("POST", "/decisions", transaction(2, transaction_id="now"))
    assert status == 200
    assert answer("transactions", "show", "now", "--data", server.data)["decision"] == decision
    assert answer("replay", "now", "--data", server.data)["same"] is True


def test_a_published_policy_decides_within_two_seconds_and_can_be_rolled_back(
    server: Server, tmp_path: Path
) -> None:
    stricter = tmp_path / "stricter.toml"
    document = shroff("policy", "default").stdout
    rule = (
        '[[rules]]\nname = "no_tuesdays"\nwhen = "amount > 7000"\noutcome = "decline"\nscore = 1\n\n[sweep]'
    )
    stricter.write_text(document.replace("[sweep]", rule))
    body = transaction(3, amount=7001, customer_id="policy-story")

    def outcome() -> tuple[bool, str]:
        made = server.request(
            "POST", "/decisions", {**body, "transaction_id": f"policy-{time.monotonic_ns()}"}
        )[1]
        return made["outcome"] == "decline", made["policy_version"]

    first, version = outcome()
    assert not first
    shroff("policy", "publish", stricter, "--data", server.data)
    time.sleep(2)
    now, newer = outcome()
    assert (now, newer != version) == (True, True)
    shroff("policy", "rollback", "--data", server.data)
    time.sleep(2)
    assert outcome() == (False, version)


def test_a_faulty_policy_is_refused_with_its_place_and_a_hint(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.toml"
    faulty.write_text(
        shroff("policy", "default").stdout.replace(
            "5 * customer.amount_mean_30d", "5 * customer.amount_meen_30d"
        )
    )
    run = shroff("policy", "publish", faulty, "--data", tmp_path / "none", check=False)
    assert run.returncode == 1
    assert "unknown name customer.amount_meen_30d" in run.stderr
    assert "did you mean customer.amount_mean_30d" in run.stderr


def test_a_listed_value_decides_from_the_next_transaction_on(server: Server) -> None:
    shroff("lists", "add", "blocked_cards", "card-666", "--data", server.data)
    status, decision = server.request(
        "POST", "/decisions", transaction(4, transaction_id="listed", card_id="card-666")
    )
    assert (status, decision["outcome"]) == (200, "decline")
    assert [reason["rule"] for reason in decision["reasons"]] == ["blocked_card"]
    shroff("lists", "remove", "blocked_cards", "card-666", "--data", server.data)
    assert answer("replay", "listed", "--data", server.data)["same"] is True, "as the lists were then"


def test_the_sweep_finds_high_amounts_and_high_frequency_and_marks_nothing_twice(server: Server) -> None:
    at = 1_600_000_200
    amounts = [10.0] * 11 + [5000.0]
    rows = [
        transaction(
            number,
            transaction_id=f"swept-{number}",
            timestamp=at - 100 + number,
            amount=amount,
            customer_id="busy",
        )
        for number, amount in enumerate(amounts)
    ]
    rows.append(transaction(0, transaction_id="swept-nobody", timestamp=at - 50, customer_id=None))
    for row in rows:
        assert server.request("POST", "/transactions", row)[0] == 202
    until_decided(server.data)
    swept = answer("sweep", "--at", at, "--window", 300, "--data", server.data)
    mean = sum(amounts) / len(amounts)
    high = {"transaction_id": "swept-11", "customer_id": "busy", "reason": "High amount compared to average"}
    often = [
        {
            "transaction_id": f"swept-{n}",
            "customer_id": "busy",
            "reason": "High transaction frequency",
            "score": 1.2,
        }
        for n in range(12)
    ]
    assert swept["transactions"] == 13
    assert swept["findings"] == [{**high, "score": round(5000 / mean, 2)}, *often]
    alerts = server.request("GET", "/metrics")[1]
    answer("sweep", "--at", at + 60, "--window", 300, "--data", server.data)
    assert alert_count(server.request("GET", "/metrics")[1]) == alert_count(alerts)


def alert_count(metrics: str) -> str:
    return next(line for line in metrics.splitlines() if line.startswith("shroff_alerts"))


def test_a_poison_message_is_dead_lettered_edited_and_redriven_once(server: Server, tmp_path: Path) -> None:
    queue = SqliteQueue(server.data / "queue.db")
    queue.append([Entry(transaction_id="poison", body=b"\xff not json", received_at=1)])
    queue.close()
    assert server.request("POST", "/decisions", transaction(5, transaction_id="neighbour"))[0] == 200
    letter = answer("dead-letters", "show", "poison", "--data", server.data)
    assert letter["failures"][-1]["cause"]
    audit = answer("audit", "--data", server.data)
    assert (audit["dead_lettered"], audit["missing"]) == (1, [])

    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(transaction(6, transaction_id="poison")))
    shroff("dead-letters", "edit", "poison", "--file", mended, "--data", server.data)
    assert shroff("dead-letters", "redrive", "poison", "--data", server.data).stdout.startswith("1 ")
    assert shroff("dead-letters", "redrive", "poison", "--data", server.data).stdout.startswith("0 ")
    audit = until_decided(server.data)
    assert (audit["dead_lettered"], audit["accepted"] - audit["decided"]) == (0, 0)
    assert answer("transactions", "show", "poison", "--data", server.data)["status"] == "decided"


def test_sigterm_amid_traffic_stops_cleanly_and_loses_nothing(tmp_path: Path) -> None:
    server = start(tmp_path)
    acknowledged, begun = [], Event()

    def post() -> None:
        for number in range(100_000):
            try:
                status, _ = server.request("POST", "/transactions", transaction(number))
            except OSError:
                return
            if status == 202:
                acknowledged.append(number)
            begun.set()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(post)
        assert begun.wait(10)
        time.sleep(1.0)
        assert server.stop() == 0
    with serving(tmp_path):
        audit = until_decided(tmp_path)
    assert audit["missing"] == []
    assert audit["accepted"] == audit["decided"] >= len(acknowledged) > 0


def test_two_servers_do_not_share_a_folder(server: Server) -> None:
    run = shroff("serve", "--data", server.data, "--port", 0, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("shroff: another shroff serves")


def test_over_the_high_water_mark_nothing_is_accepted(tmp_path: Path) -> None:
    with serving(tmp_path, environment={"SHROFF_HIGH_WATER": "0"}) as server:
        status, body = server.request("POST", "/transactions", EXAMPLE)
        assert status == 503
        assert body["error"]
        assert answer("audit", "--data", tmp_path)["accepted"] == 0


def test_a_key_is_asked_for_where_the_settings_say_so(tmp_path: Path) -> None:
    with serving(tmp_path, environment={"SHROFF_REQUIRE_KEY": "true"}) as server:
        assert server.request("POST", "/transactions", EXAMPLE)[0] == 401
        key = shroff(
            "keys", "create", "till", "--scope", "transactions:write", "--data", tmp_path
        ).stdout.strip()
        time.sleep(1.5)
        assert server.request("POST", "/transactions", EXAMPLE, {"X-API-Key": key})[0] == 202
        assert server.request("POST", "/decisions", EXAMPLE, {"X-API-Key": key})[0] == 403


def test_an_import_whose_worker_cannot_live_ends_with_a_sentence_and_goes_on_later(tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_text("".join(json.dumps(transaction(number)) + "\n" for number in range(10)))
    data = tmp_path / "data"
    # Where Python starts, a worker dies at once; everything else lives.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'shroff.runtimes.embedded.worker_process' in sys.orig_argv: os._exit(9)\n"
    )
    run = shroff("import", rows, "--data", data, check=False, environment={"PYTHONPATH": str(tmp_path)})
    assert run.returncode == 1
    assert "the worker died" in run.stderr
    shroff("import", rows, "--data", data)
    assert answer("audit", "--data", data)["decided"] == 10
