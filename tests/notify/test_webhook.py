from __future__ import annotations

import hashlib
import hmac
import json
import socket
from threading import Event

import pytest

from shroff.adapters.notify import WebhookChannel, sign, verify
from shroff.core.errors import Rejected, Retryable
from tests.notify.conftest import alert

SECRET = "whsec-of-the-test"
NOW = 1_700_000_100


def channel(url: str, timeout: float = 5.0) -> WebhookChannel:
    return WebhookChannel(url, SECRET, timeout, clock=lambda: NOW + 0.7)


def test_an_alert_is_posted_as_json_under_its_id(receiver):
    channel(receiver.url).send(alert())
    ((path, headers, body),) = receiver.posted
    assert path == "/hooks/fraud?team=7"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Shroff-Alert"] == "alert-0001"
    assert json.loads(body) == {
        "alert_id": "alert-0001", "rule": "velocity", "entity": "customer", "key": "cust-001",
        "outcome": "decline", "score": 0.9, "reason": "Many payments in a short time", "hits": 1,
        "transaction_id": "txn-1",
        "occurred_at": "2023-11-14T22:13:20.001Z", "raised_at": "2023-11-14T22:13:25.000Z",
    }  # fmt: skip


def test_the_signature_is_that_of_any_hmac_implementation(receiver):
    channel(receiver.url).send(alert())
    ((_, headers, body),) = receiver.posted
    assert headers["X-Shroff-Timestamp"] == str(NOW)
    digest = hmac.new(SECRET.encode(), f"{NOW}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Shroff-Signature"] == f"v1={digest}"
    assert verify(SECRET, headers["X-Shroff-Timestamp"], body, headers["X-Shroff-Signature"], now=NOW)


def test_a_receiver_refuses_what_was_changed_or_is_old():
    body, signature = b'{"alert_id": "a"}', sign(SECRET, NOW, b'{"alert_id": "a"}')
    assert verify(SECRET, str(NOW), body, signature, now=NOW + 300)
    assert not verify(SECRET, str(NOW), body, signature, now=NOW + 301)
    assert not verify(SECRET, str(NOW), body, signature, now=NOW - 301)
    assert not verify(SECRET, str(NOW + 1), body, signature, now=NOW)
    assert not verify(SECRET, str(NOW), body + b" ", signature, now=NOW)
    assert not verify("other", str(NOW), body, signature, now=NOW)


@pytest.mark.parametrize("timestamp", ["", "-1", "1.5", "now", "²", "9" * 5_000])
def test_a_timestamp_that_is_none_is_refused(timestamp):
    assert not verify(SECRET, timestamp, b"", "v1=00", now=NOW)


@pytest.mark.parametrize("signature", ["", "v1=", "v2=00", "é"])
def test_a_signature_that_is_none_is_refused(signature):
    assert not verify(SECRET, str(NOW), b"", signature, now=NOW)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_every_2xx_is_taken(receiver, status):
    receiver.status = status
    channel(receiver.url).send(alert())
    assert len(receiver.posted) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(receiver, status):
    receiver.status = status
    with pytest.raises(Retryable, match=f"^127.0.0.1 answered {status}$"):
        channel(receiver.url).send(alert())


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_what_will_not_pass_is_given_up(receiver, status):
    receiver.status = status
    with pytest.raises(Rejected, match=f"^127.0.0.1 answered {status}$"):
        channel(receiver.url).send(alert())


def test_a_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 302, {"Location": "/elsewhere"}
    with pytest.raises(Rejected, match="answered 302"):
        channel(receiver.url).send(alert())
    assert len(receiver.posted) == 1


def test_nobody_there_may_pass():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Retryable, match="cannot be reached: connection refused"):
        channel(f"http://127.0.0.1:{port}/token").send(alert())


def test_a_server_that_never_answers_is_left_after_the_timeout(receiver):
    receiver.slow = Event()
    with pytest.raises(Retryable, match="cannot be reached"):
        channel(receiver.url, timeout=0.1).send(alert())


def test_a_server_that_answers_byte_by_byte_is_left_after_the_timeout(receiver):
    receiver.drip = True
    with pytest.raises(Retryable, match="cannot be reached"):
        channel(receiver.url, timeout=0.2).send(alert())


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.com", "file:///etc/passwd", "https://", "example.com", "http://[::1", "http://a:b/",
     "https://user:pw@example.com", "https://example.com/a b", "https://example.com/\r\nX: y", "https://münchen.de"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_told_at_once(url):
    with pytest.raises(Rejected, match="a webhook's address"):
        WebhookChannel(url, SECRET)


def test_a_webhook_without_a_secret_is_none():
    with pytest.raises(Rejected, match="needs a secret"):
        WebhookChannel("https://example.com", "")
