"""The contract on the wire, row by row, against a real server."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest

from tests.api.served import Served, example, serving

INVALID = {"error": "Invalid JSON in request body"}


def test_the_example_of_the_contract_is_accepted(served: Served):
    answer = served.client.post(
        "/transactions",
        content='{"transaction_id": "txn-12345", "amount": 99.99, "timestamp": 1700000000, '
        '"customer_id": "cust-001", "merchant": "Test Merchant"}',
        headers={"content-type": "application/json"},
    )
    message = served.queue.find("txn-12345")
    assert message is not None
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "message": "Transaction accepted for processing",
        "transaction_id": "txn-12345",
        "message_id": f"m-{message.seq:012d}",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"12",
        b"{'a': 1}",
        b'{"amount": NaN}',
        b'{"amount": Infinity}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_json_object_is_told_so_and_nothing_else(served: Served, body: bytes):
    answer = served.client.post("/transactions", content=body)
    assert (answer.status_code, answer.json()) == (400, INVALID)


def test_all_faults_are_told_at_once_and_the_first_is_the_error(served: Served):
    answer = served.client.post(
        "/transactions", json={"transaction_id": "faulty", "timestamp": 1700000000000}
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Missing required field: amount",
        "faults": [
            {"field": "amount", "problem": "Missing required field: amount"},
            {
                "field": "timestamp",
                "problem": "timestamp looks like milliseconds; give seconds since 1970",
            },
        ],
    }
    assert served.queue.find("faulty") is None


@pytest.mark.parametrize("amount", [0, -1, "-0.01"])
def test_an_amount_must_be_positive(served: Served, amount: object):
    answer = served.post(transaction_id="not-positive", amount=amount)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Amount must be positive"


def test_the_same_transaction_again_is_answered_as_before(served: Served):
    first = served.post(transaction_id="again", amount="99.90")
    second = served.post(transaction_id="again", amount=99.9)
    assert (first.status_code, first.json()) == (second.status_code, second.json())


def test_the_same_id_with_other_content_is_a_conflict_and_changes_nothing(served: Served):
    served.post(transaction_id="conflicting", amount=1)
    before = served.queue.find("conflicting")
    answer = served.post(transaction_id="conflicting", amount=2)
    assert answer.status_code == 409
    assert set(answer.json()) == {"error"}
    assert served.queue.find("conflicting") == before


def test_a_hundred_posts_at_once_are_one_message_and_a_hundred_equal_answers(served: Served):
    before = served.queue.last()
    with ThreadPoolExecutor(20) as pool, httpx.Client(base_url=served.url) as client:
        post = [
            pool.submit(client.post, "/transactions", json=example(transaction_id="crowd"))
            for _ in range(100)
        ]
        answers = {(each.result().status_code, each.result().text) for each in post}
    assert len(answers) == 1
    assert answers.pop()[0] == 202
    assert served.queue.last() == before + 1


def test_a_body_of_256_kib_is_read_and_one_byte_more_is_not(served: Served):
    most = 256 * 1024
    body = json.dumps(example(transaction_id="large")).encode()
    assert served.client.post("/transactions", content=body.ljust(most)).status_code == 202
    answer = served.client.post("/transactions", content=body.ljust(most + 1))
    assert (answer.status_code, answer.json()) == (413, {"error": "The request body is larger than 256 KiB"})


def test_a_body_of_unannounced_length_has_the_same_limit(served: Served):
    body = json.dumps(example(transaction_id="chunked")).encode()
    answer = served.client.post("/transactions", content=iter([body[:20], body[20:]]))
    assert answer.status_code == 202
    answer = served.client.post("/transactions", content=iter([b" " * 1024] * 257))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"]
)
def test_another_content_type_is_refused_with_a_hint(served: Served, kind: str):
    body = json.dumps(example(transaction_id="kind"))
    answer = served.client.post("/transactions", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["error"]
    assert kind in answer.json()["error"]


@pytest.mark.parametrize(
    "kind", [None, "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
def test_json_by_any_name_is_taken(served: Served, kind: str | None):
    headers = {} if kind is None else {"content-type": kind}
    answer = served.client.post(
        "/transactions", content=json.dumps(example(transaction_id="json")), headers=headers
    )
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/transactions", "POST"),
        ("DELETE", "/transactions/txn-1", "GET, HEAD"),
        ("PUT", "/transactions/batch", "POST"),
        ("GET", "/decisions", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("OPTIONS", "/metrics", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_one_would_do(served: Served, method: str, path: str, allowed: str):
    answer = served.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert "error" in answer.json()


@pytest.mark.parametrize("path", ["/", "/transaction", "/transactions/", "/health/", "//", "/transactions//"])
def test_where_nothing_is_there_is_404(served: Served, path: str):
    answer = served.client.get(path)
    assert answer.status_code == 404
    assert "error" in answer.json()


@pytest.mark.parametrize("name", ["plain", "a/b", "a b", "100%", "naïve-☃", "?q=1#x", "batch", "%2F"])
def test_a_transaction_is_found_by_its_id_whatever_is_in_it(served: Served, name: str):
    served.post(transaction_id=name)
    answer = served.client.get(f"/transactions/{quote(name, safe='')}")
    assert answer.status_code == 200
    assert answer.json() == {
        "transaction_id": name,
        "status": "accepted",
        "transaction": {
            "transaction_id": name,
            "amount": "99.99",
            "currency": "USD",
            "timestamp": 1700000000,
            "customer_id": "cust-001",
            "merchant": "Test Merchant",
        },
    }


@pytest.mark.parametrize("name", ["nobody", "%FF", "%00"])
def test_an_unknown_id_is_404(served: Served, name: str):
    assert served.client.get(f"/transactions/{name}").status_code == 404


def test_head_is_get_without_a_body(served: Served):
    answer = served.client.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_full_disk_is_503_with_nothing_accepted(served: Served):
    served.trouble("full")
    answer = served.post(transaction_id="disk")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert served.queue.find("disk") is None
    served.trouble("")
    assert served.post(transaction_id="disk").status_code == 202


def test_a_bug_is_500_without_its_details_and_the_gateway_lives_on(served: Served):
    served.trouble("bug")
    answer = served.post(transaction_id="bug")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error"}
    assert "secret" not in answer.text
    served.trouble("")
    assert served.post(transaction_id="bug").status_code == 202


def test_a_client_that_leaves_takes_nobody_with_it(served: Served):
    served.trouble("slow")
    body = json.dumps(example(transaction_id="left")).encode()
    with (
        socket.create_connection(("127.0.0.1", httpx.URL(served.url).port)) as leaving,
        ThreadPoolExecutor(1) as pool,
    ):
        leaving.sendall(
            b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        staying = pool.submit(served.post, transaction_id="stayed")
        leaving.close()
        assert staying.result().status_code == 202
    served.trouble("")
    assert served.client.get("/health").status_code == 200


def test_over_the_high_water_mark_nothing_is_accepted_until_there_is_room(tmp_path):
    with serving(tmp_path, high_water=3) as served:
        for number in range(3):
            served.post(transaction_id=f"t-{number}")
        _await(served, 503)
        refused = served.post(transaction_id="one-too-many")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert served.post("/transactions/batch").status_code == 503
        assert served.post("/decisions", transaction_id="one-too-many").status_code == 503
        assert served.queue.last() == 3
        assert "3 transactions are in flight" in served.client.get("/ready").json()["reasons"][0]
        assert served.client.get("/health").status_code == 200
        served.decide()
        _await(served, 202)
        assert served.client.get("/ready").json() == {"status": "ready"}


def _await(served: Served, status: int) -> None:
    """The gateway looks every tenth of a second; a repetition asks it without adding anything."""
    for _ in range(200):
        if served.post(transaction_id="t-0").status_code == status:
            return
    raise AssertionError(f"never answered {status}")


def test_a_stop_lets_requests_end_and_closes_everything(tmp_path):
    with serving(tmp_path) as served, ThreadPoolExecutor(8) as pool:
        served.trouble("slow")
        posts = [pool.submit(served.post, transaction_id=f"t-{number}") for number in range(8)]
        while not (tmp_path / "appending").exists():
            time.sleep(0.01)
        assert served.stop() == 0
        # A post that came too late found no server; one that was taken in was answered.
        answers = [each.result() for each in posts if not isinstance(each.exception(), httpx.TransportError)]
        assert answers
        assert {each.status_code for each in answers} <= {202, 503}
        accepted = [each.json()["transaction_id"] for each in answers if each.status_code == 202]
        assert accepted
        assert all(served.queue.find(name) for name in accepted)
        assert (tmp_path / "closed").exists()
