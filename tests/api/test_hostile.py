"""Hostile requests: whatever is sent, the answer is never a 5xx."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.api.gateway.entries import entry_in
from shroff.core.errors import Rejected
from tests.api.served import Served, example, serving

BASE = '{"transaction_id": "hostile", "amount": %s, "timestamp": 1700000000%s}'
BODIES = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 40_000,
    "a deep member": (BASE % ("1", ', "x": ' + "[" * 900 + "]" * 900)).encode(),
    "a huge integer": (BASE % ("9" * 5_000, "")).encode(),
    "a huge exponent": (BASE % ("1e999999999", "")).encode(),
    "a tiny exponent": (BASE % ("1e-999999999", "")).encode(),
    "an exponent beyond decimal": (BASE % ("1e99999999999999999999", "")).encode(),
    "a huge timestamp": b'{"transaction_id": "t", "amount": 1, "timestamp": 1e999999}',
    "a lone surrogate": (BASE % ("1", ', "merchant": "\\ud800"')).encode(),
    "a surrogate as name": (BASE % ("1", ', "\\udfff": 1')).encode(),
    "an escaped NUL": (BASE % ("1", ', "merchant": "a\\u0000b"')).encode(),
    "an escaped NUL in a name": (BASE % ("1", ', "a\\u0000b": 1')).encode(),
    "a raw NUL": (BASE % ("1", ', "merchant": "a\0b"')).encode(),
    "invalid UTF-8": BASE.encode() % (b"1", b', "merchant": "\xff"'),
    "overlong UTF-8": BASE.encode() % (b"1", b', "merchant": "\xc0\x80"'),
    "a repeated member": (BASE % ("1", ', "amount": 2')).encode(),
    "a repeated member by another spelling": (BASE % ("1", ', "\\u0061mount": 2')).encode(),
    "a repeated attribute, often": (BASE % ("1", ', "x": 1' * 30_000)).encode(),
    "a byte order mark": b"\xef\xbb\xbf" + (BASE % ("1", "")).encode(),
    "UTF-16": (BASE % ("1", "")).encode("utf-16"),
    "two objects": (BASE % ("1", "")).encode() * 2,
    "a comment": (BASE % ("1", "") + "// hello").encode(),
    "many members": json.dumps(example(**{f"x{at}": at for at in range(10_000)})).encode(),
    "a long name": json.dumps(example(**{"x" * 200_000: 1})).encode(),
}


@pytest.mark.parametrize("path", ["/transactions", "/decisions"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_refused_as_faulty(served: Served, path: str, body: bytes):
    answer = served.client.post(path, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert served.queue.find("hostile") is None


def test_a_repeated_member_is_named():
    with pytest.raises(Rejected) as rejected:
        entry_in(BODIES["a repeated member by another spelling"], currency="USD", received_at=0)
    assert [(each.field, each.problem) for each in rejected.value.faults] == [
        ("amount", "amount is there more than once")
    ]


def test_colons_and_escapes_in_texts_repeat_nothing():
    members = example(merchant='a: "b", {"c": 1}', ip="2001:db8::1", note="\\u0000")
    entry = entry_in(json.dumps(members).encode(), currency="USD", received_at=0)
    assert json.loads(entry.body)["ip"] == "2001:db8::1"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "transaction_id": st.text(max_size=140) | ANY_JSON,
        "amount": st.decimals(allow_nan=False, allow_infinity=False).map(str) | ANY_JSON,
        "timestamp": st.integers(-1, 10**12) | ANY_JSON,
        "currency": st.sampled_from(["USD", "JPY", "KWD", "usd", ""]) | ANY_JSON,
        "merchant": ANY_JSON,
        "latitude": ANY_JSON,
        "extra": ANY_JSON,
    },
)
KNOWN = {200, 202, 400, 409, 413}


@given(st.binary(max_size=200) | (ANY_JSON | NEARLY).map(json.dumps).map(str.encode))
def test_no_bytes_and_no_json_make_it_fail(served: Served, body: bytes):
    for path in ("/transactions", "/transactions/batch"):
        answer = served.client.post(path, content=body)
        assert answer.status_code in KNOWN, (body, answer.text)
        for line in answer.text.splitlines():
            assert json.loads(line).get("status", 202) in KNOWN


@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "TRACE"]), st.text("/%aé\0.?#&=;", max_size=12), st.data()
)
def test_no_address_makes_it_fail(served: Served, method: str, path: str, data: st.DataObject):
    headers: dict[str, Any] = data.draw(
        st.dictionaries(
            st.sampled_from(["content-type", "x-api-key", "authorization", "accept", "expect"]),
            st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(str.strip),
        )
    )
    target = "/" + quote(path, safe="/?&=;.")
    # The whole URL: httpx refuses a path alone that begins with two slashes.
    assert served.client.request(method, served.url + target, headers=headers).status_code < 500


@pytest.mark.parametrize(
    "head",
    [
        b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n{}",
        b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"POST /transactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"GET /transactions/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /transactions/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_a_hostile_head_is_answered_or_dropped(served: Served, head: bytes):
    with socket.create_connection(("127.0.0.1", httpx.URL(served.url).port), timeout=10) as raw:
        raw.sendall(head)
        answer = raw.recv(65_536)
    assert answer == b"" or int(answer.split()[1]) < 500
    assert served.client.get("/health").status_code == 200


def test_a_body_that_never_ends_holds_up_nobody(served: Served):
    with socket.create_connection(("127.0.0.1", httpx.URL(served.url).port)) as raw:
        raw.sendall(b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert served.post(transaction_id="beside").status_code == 202
    assert served.client.get("/health").status_code == 200
    log = (served.data / "log").read_text()
    assert "request_failed" not in log
    assert "append_failed" not in log


def test_a_body_that_does_not_come_is_given_up_and_a_stop_does_not_wait_for_it(tmp_path):
    with (
        serving(tmp_path, body_timeout=100) as served,
        _connected(served) as raw,
        _connected(served) as other,
    ):
        raw.settimeout(10)
        raw.sendall(HALF)
        assert raw.recv(65_536).split()[1] == b"408"
        other.sendall(HALF)
        assert served.stop() == 0
        assert (tmp_path / "closed").exists()


HALF = b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


def _connected(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", httpx.URL(served.url).port))
