"""The API of AWS: events as API Gateway sends them, answers as the gateway of one machine gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shroff.core.errors import Retryable
from tests.api.served import POLICY, Served, example, serving
from tests.runtimes.events import by_id, event
from tests.runtimes.twins import Stack

JSON = {"Content-Type": "application/json"}
HEADERS = ("content-type", "retry-after", "allow", "cache-control")


@pytest.fixture
def stack() -> Stack:
    return Stack(POLICY)


def body(**members: Any) -> bytes:
    return json.dumps(example(**members)).encode()


def post(stack: Stack, path: str = "/transactions", **members: Any) -> dict[str, Any]:
    return stack.api.answer(event("POST", path, body(**members), JSON))


LINES = b"\n".join([body(transaction_id="l-1"), b"nonsense", body(transaction_id="l-1", amount=7), b""])
REQUESTS: list[tuple[str, str, bytes | None, dict[str, str]]] = [
    ("POST", "/transactions", body(), JSON),
    ("POST", "/transactions", body(), JSON),
    ("POST", "/transactions", body(amount="99.990"), {}),
    ("POST", "/transactions", body(amount=5), JSON),
    ("POST", "/transactions", None, JSON),
    ("POST", "/transactions", b"{", JSON),
    ("POST", "/transactions", b"[]", JSON),
    ("POST", "/transactions", b'{"amount": NaN}', JSON),
    ("POST", "/transactions", b'{"transaction_id": "f", "timestamp": 1700000000000}', JSON),
    ("POST", "/transactions", body(transaction_id="negative", amount=-1), JSON),
    ("POST", "/transactions", body(transaction_id="digits", amount="1.001"), JSON),
    ("POST", "/transactions", b'{"transaction_id": "a", "transaction_id": "b"}', JSON),
    ("POST", "/transactions", body(transaction_id="form"), {"Content-Type": "text/plain"}),
    (
        "POST",
        "/transactions",
        body(transaction_id="utf"),
        {"content-type": "application/json; charset=utf-8"},
    ),
    ("POST", "/transactions", body(transaction_id="big").ljust(256 * 1024 + 1), JSON),
    ("POST", "/transactions", body(transaction_id="full").ljust(256 * 1024), JSON),
    ("POST", "/transactions/batch", LINES, {"Content-Type": "application/x-ndjson"}),
    ("POST", "/transactions/batch", b"\n \n", {}),
    ("POST", "/transactions/batch", LINES, {"Content-Type": "text/csv"}),
    ("POST", "/decisions", body(transaction_id="conflicting", amount=1), JSON),
    ("POST", "/decisions", body(transaction_id="conflicting", amount=2), JSON),
    ("POST", "/decisions", body(transaction_id="large", amount=5000), JSON),
    ("POST", "/decisions", body(transaction_id="large", amount=5000), JSON),
    ("POST", "/decisions", b"", JSON),
    ("POST", "/decisions", body(), {"Content-Type": "application/xml"}),
    ("GET", by_id("large"), None, {}),
    ("HEAD", by_id("large"), None, {}),
    ("GET", by_id("nobody"), None, {}),
    ("GET", "/transactions/%FF", None, {}),
    ("GET", "/transactions", None, {}),
    ("GET", "/decisions", None, {}),
    ("DELETE", by_id("large"), None, {}),
    ("PUT", "/transactions/batch", b"", {}),
    ("POST", "/health", b"", {}),
    ("GET", "/health", None, {}),
    ("HEAD", "/health", None, {}),
    ("GET", "/", None, {}),
    ("GET", "/transaction", None, {}),
    ("GET", "/transactions/", None, {}),
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Stack]]:
    with serving(tmp_path_factory.mktemp("gateway")) as served, served.worker():
        yield served, Stack(POLICY)


@pytest.mark.parametrize(
    ("method", "path", "content", "headers"),
    REQUESTS,
    ids=[f"{number}-{each[0]}-{each[1]}" for number, each in enumerate(REQUESTS)],
)
def test_both_gateways_give_the_same_answer(
    pair: tuple[Served, Stack], method: str, path: str, content: bytes | None, headers: dict[str, str]
):
    served, stack = pair
    expected = served.client.request(method, path, content=content, headers=headers)
    found = stack.api.answer(event(method, path, content, headers))
    settle(stack)
    assert (found["statusCode"], same(found["body"])) == (expected.status_code, same(expected.text))
    assert shown(found["headers"]) == shown(expected.headers)
    assert found["isBase64Encoded"] is False


def same(text: str) -> str:
    """Without what cannot be equal: the moment of a decision, the place in another queue."""
    return re.sub(r'("decided_at"|"message_id"):"[^"]+"', r"\1", text)


def shown(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in HEADERS if name in headers}


def settle(stack: Stack) -> None:
    """Decide what waits, as the worker beside the other gateway does."""
    waiting = [
        each for each in stack.queue.read(0, 1_000) if not stack.store.ledger.find(each.transaction_id)
    ]
    if waiting:
        _, failed = stack.decider.decide(waiting, lambda: 30_000)
        assert not failed


def test_the_table_of_requests_knows_every_answer(pair: tuple[Served, Stack]):
    _, stack = pair
    statuses = {stack.api.answer(event(*each))["statusCode"] for each in REQUESTS}
    assert statuses >= {200, 202, 400, 404, 405, 409, 413, 415}


@pytest.mark.parametrize("name", ["plain", "a/b", "a b", "100%", "naïve-☃", "?q=1#x", "batch", "%2F", "a+b"])
def test_an_id_is_decoded_once(stack: Stack, name: str):
    post(stack, transaction_id=name)
    answer = stack.api.answer(event("GET", by_id(name)))
    assert json.loads(answer["body"])["transaction_id"] == name


@pytest.mark.parametrize("resource", [None, "/{proxy+}", "/transactions/{transaction_id}"])
def test_a_path_is_found_however_the_resources_were_cut(stack: Stack, resource: str | None):
    post(stack, transaction_id="a/b")
    sent = event("GET", "/transactions/a%2Fb")
    sent["resource"] = resource
    sent["pathParameters"] = {
        None: None,
        "/{proxy+}": {"proxy": "transactions/a%2Fb"},
        "/transactions/{transaction_id}": {"transaction_id": "a%2Fb"},
    }[resource]
    assert stack.api.answer(sent)["statusCode"] == 200


def test_a_custom_domain_with_a_base_path_is_the_same_api(stack: Stack):
    sent = event("POST", "/transactions", body(), JSON, base_path="/payments/v1")
    assert sent["path"] == "/payments/v1/transactions"
    assert stack.api.answer(sent)["statusCode"] == 202
    sent = event("GET", by_id("txn-12345"), base_path="/payments/v1")
    assert stack.api.answer(sent)["statusCode"] == 200


def test_a_body_may_come_in_base64(stack: Stack):
    content = '{"transaction_id": "é", "amount": 1, "timestamp": 1700000000}'.encode()
    sent = event("POST", "/transactions", content, JSON, base64_encoded=True)
    assert stack.api.answer(sent)["statusCode"] == 202
    assert stack.queue.find("é") is not None


def test_a_request_without_headers_and_body_is_answered(stack: Stack):
    sent = event("POST", "/transactions") | {"headers": None, "multiValueHeaders": None}
    answer = stack.api.answer(sent)
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        400,
        {"error": "Invalid JSON in request body"},
    )


def test_the_first_of_several_headers_counts_whatever_its_case(stack: Stack):
    sent = event("POST", "/transactions", body(), {"CONTENT-TYPE": "application/json"})
    sent["multiValueHeaders"]["CONTENT-TYPE"] = ["text/plain", "application/json"]
    sent["headers"]["CONTENT-TYPE"] = "application/json"
    assert stack.api.answer(sent)["statusCode"] == 415


def test_head_has_the_headers_of_get_and_no_body(stack: Stack):
    answer = stack.api.answer(event("HEAD", "/health"))
    assert answer == {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_what_was_posted_is_sent_and_what_is_decided_at_once_is_not(stack: Stack):
    post(stack, transaction_id="queued")
    post(stack, "/decisions", transaction_id="at-once")
    assert stack.sent == ["queued"]
    assert stack.store.ledger.find("at-once") is not None


def test_a_repeated_decision_is_the_stored_one(stack: Stack):
    first = post(stack, "/decisions", transaction_id="d")
    stack.clock = lambda: 4_000_000_000_000
    assert post(stack, "/decisions", transaction_id="d") == first
    assert stack.counted()["Decided"] == 1


def test_a_decision_for_what_waits_in_the_queue_is_made_at_once(stack: Stack):
    post(stack, transaction_id="d")
    answer = post(stack, "/decisions", transaction_id="d")
    message, record = stack.queue.find("d"), stack.store.ledger.find("d")
    assert (answer["statusCode"], json.loads(answer["body"])["outcome"]) == (200, "approve")
    assert message is not None
    assert record is not None
    assert record.received_at == message.received_at


def test_a_decision_that_does_not_come_to_pass_goes_the_way_of_all_others(stack: Stack):
    def refuse(_: object) -> None:
        raise Retryable("the table is busy")

    stack.entities.before_commit = refuse
    answer = post(stack, "/decisions", transaction_id="late")
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (202, "accepted")
    assert stack.sent == ["late"]


def test_a_decision_that_takes_too_long_goes_the_way_of_all_others(stack: Stack):
    from shroff.core.errors import Contended

    def refuse(_: object) -> None:
        raise Contended("another was first")

    stack.entities.before_commit = refuse
    moments = iter(range(0, 10**9, 500))
    stack.clock = lambda: next(moments)
    stack.api = stack._api(stack.settings)
    assert post(stack, "/decisions", transaction_id="slow")["statusCode"] == 202
    assert stack.sent == ["slow"]


def test_while_deciding_stands_still_a_decision_is_promised_and_queued(stack: Stack) -> None:
    stack.stands_still = True
    assert post(stack, "/decisions", transaction_id="waits")["statusCode"] == 202
    assert stack.sent == ["waits"]
    assert stack.store.ledger.find("waits") is None


def busy(*_: object) -> Any:
    raise Retryable("the table is busy")


def test_a_pause_that_cannot_be_looked_at_is_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack.inline, "_stands_still", busy)
    assert post(stack, "/decisions", transaction_id="waits")["statusCode"] == 202
    assert stack.sent == ["waits"]


@pytest.mark.parametrize("repeated", [False, True])
def test_what_is_kept_and_cannot_be_looked_at_is_sent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, repeated: bool
) -> None:
    if repeated:
        post(stack, "/decisions", transaction_id="kept")
    monkeypatch.setattr(stack.store.ledger, "find", busy)
    assert post(stack, "/decisions", transaction_id="kept")["statusCode"] == 202
    assert stack.sent == ["kept"]


def test_the_alert_of_a_decision_that_somebody_waits_for_is_told(stack: Stack) -> None:
    assert post(stack, "/decisions", transaction_id="large", amount=5000)["statusCode"] == 200
    assert len(stack.told) == 1


def test_what_was_given_up_is_422_with_its_cause(stack: Stack):
    post(stack, transaction_id="dead")
    stack.bury("dead", "the moon was in the way")
    answer = post(stack, "/decisions", transaction_id="dead")
    assert (answer["statusCode"], json.loads(answer["body"])["cause"]) == (422, "the moon was in the way")


def test_over_the_high_water_mark_nothing_is_accepted():
    stack = Stack(POLICY, high_water=3)
    stack.in_flight = 3
    answer = post(stack)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")
    assert post(stack, "/decisions")["statusCode"] == 503
    assert stack.queue.last() == 0


def test_a_store_that_does_not_answer_is_503_and_a_bug_500_without_its_details(stack: Stack):
    stack.trouble = Retryable("throttled")
    answer = post(stack)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")
    stack.trouble = ZeroDivisionError("a secret detail")
    answer = post(stack)
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"]


def test_every_fate_is_counted(stack: Stack):
    post(stack, transaction_id="c")
    post(stack, transaction_id="c")
    post(stack, transaction_id="c", amount=3)
    post(stack, transaction_id="c", amount=-3)
    stack.api.answer(event("POST", "/transactions/batch", LINES))
    counted = stack.counted()
    assert [counted[name] for name in ("Accepted", "Repeated", "Conflicts", "Rejected")] == [2, 1, 2, 2]
