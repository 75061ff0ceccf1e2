"""API keys: made, asked for, limited, revoked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from msgspec.structs import replace

from shroff.api.gateway.answers import Refused
from shroff.api.gateway.auth import Keyring
from shroff.core.errors import Rejected
from shroff.flows.keys import SCOPES, digest, new_key
from shroff.ports import Key
from tests.api.served import Served, example, serving

ROUTES = [
    ("POST", "/transactions", "transactions:write"),
    ("POST", "/transactions/batch", "transactions:write"),
    ("POST", "/decisions", "decisions:write"),
    ("GET", "/transactions/txn-12345", "transactions:read"),
    ("POST", "/labels", "labels:write"),
    ("GET", "/metrics", "metrics:read"),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("guarded"), require_key=True, decision_timeout=1) as running:
        yield running


@pytest.fixture(scope="module")
def give(guarded: Served) -> Callable[..., str]:
    """A new key that the gateway knows of, as the text that its owner has."""

    def given(*scopes: str, rate: float | None = None) -> str:
        text, key = new_key("test", scopes, rate, 0)
        guarded.store.keys.add(key)
        until = time.monotonic() + 5
        while ask(guarded, "GET", "/transactions/t", text).status_code == 401 and time.monotonic() < until:
            time.sleep(0.05)
        return text

    return given


def ask(served: Served, method: str, path: str, key: str | None) -> httpx.Response:
    headers = {} if key is None else {"x-api-key": key}
    label = {"transaction_id": "txn-12345", "label": "fraud", "source": "analyst"}
    content = json.dumps(label if path == "/labels" else example())
    return served.client.request(method, path, headers=headers, content=content)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
@pytest.mark.parametrize("key", [None, "", "secret", "shroff__", "shroff_0011_2233"])
def test_without_a_known_key_nothing_is_told(
    guarded: Served, method: str, path: str, scope: str, key: str | None
):
    answer = ask(guarded, method, path, key)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="shroff"')
    assert set(answer.json()) == {"error"}


def test_each_address_asks_for_its_own_scope(guarded: Served, give: Callable[..., str]):
    keys = {scope: give(scope) for scope in SCOPES}
    for method, path, wanted in ROUTES:
        for scope, key in keys.items():
            answer = ask(guarded, method, path, key)
            if scope == wanted:
                assert answer.status_code in (200, 202), answer.text
            else:
                assert (answer.status_code, answer.json()) == (
                    403,
                    {"error": f"This key lacks the scope {wanted}"},
                )


def test_a_key_may_come_as_bearer(guarded: Served, give: Callable[..., str]):
    key = give("transactions:read")
    for value, status in (
        (f"Bearer {key}", 404),
        (f"bearer  {key}", 404),
        (f"Basic {key}", 401),
        ("Bearer", 401),
    ):
        answer = guarded.client.get("/transactions/nobody", headers={"authorization": value})
        assert answer.status_code == status, value


def test_health_and_readiness_need_no_key(guarded: Served):
    assert guarded.client.get("/health").status_code == 200
    assert guarded.client.get("/ready").status_code == 200


def test_over_its_rate_a_key_is_told_when_to_come_back(guarded: Served, give: Callable[..., str]):
    key = give("transactions:read", rate=0.2)
    while (answer := ask(guarded, "GET", "/transactions/t", key)).status_code == 404:
        pass
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 5


def test_a_revoked_key_is_refused_within_two_seconds(guarded: Served, give: Callable[..., str]):
    key = give("transactions:read")
    assert ask(guarded, "GET", "/transactions/t", key).status_code == 404
    guarded.store.keys.revoke(key.split("_")[1])
    until = time.monotonic() + 2
    while ask(guarded, "GET", "/transactions/t", key).status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.05)


class Watch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def admitted(keyring: Keyring, text: str, scope: str = "transactions:write") -> int:
    try:
        keyring.admit({"x-api-key": text}, scope)
    except Refused as refused:
        return refused.answer.status
    return 200


def keyring_of(*keys: Key, watch: Watch | None = None) -> Keyring:
    made = Keyring(lambda: keys, watch or Watch())
    made.refresh()
    return made


def test_a_bucket_holds_one_second_and_fills_at_its_rate():
    watch = Watch()
    text, key = new_key("k", ["transactions:write"], 3.0, 0)
    keyring = keyring_of(key, watch=watch)
    assert [admitted(keyring, text) for _ in range(4)] == [200, 200, 200, 429]
    watch.seconds += 1 / 3 + 0.001
    assert [admitted(keyring, text) for _ in range(2)] == [200, 429]
    watch.seconds += 1_000
    assert [admitted(keyring, text) for _ in range(4)] == [200, 200, 200, 429]


def test_a_batch_may_owe_and_the_next_request_waits_for_it():
    watch = Watch()
    text, key = new_key("k", ["transactions:write"], 10.0, 0)
    keyring = keyring_of(key, watch=watch)
    bucket = keyring.admit({"x-api-key": text}, "transactions:write")
    assert bucket is not None
    bucket.owe(99)
    with pytest.raises(Refused) as refused:
        keyring.admit({"x-api-key": text}, "transactions:write")
    assert ("retry-after", "10") in refused.value.answer.headers
    watch.seconds += 9.2
    assert admitted(keyring, text) == 200


def test_reading_the_keys_anew_empties_no_bucket_and_fills_none():
    text, key = new_key("k", ["transactions:write"], 1.0, 0)
    keyring = keyring_of(key)
    assert admitted(keyring, text) == 200
    keyring.refresh()
    assert admitted(keyring, text) == 429


def test_a_key_is_known_by_its_whole_secret():
    text, key = new_key("k", ["transactions:write"], None, 0)
    keyring = keyring_of(key)
    assert admitted(keyring, text) == 200
    for other in (text[:-1], text + "0", text[:-1] + "x", text.upper(), f"shroff_{key.key_id}_"):
        assert admitted(keyring, other) == 401
    assert admitted(keyring_of(replace(key, revoked=True)), text) == 401


def test_what_is_kept_of_a_key_does_not_hold_its_secret():
    text, key = new_key("billing", ["metrics:read"], 2.5, 17)
    prefix, key_id, secret = text.split("_")
    assert (prefix, key_id) == ("shroff", key.key_id)
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in repr(key)
    assert key == Key(
        key_id=key_id,
        name="billing",
        digest=digest(text),
        scopes=frozenset({"metrics:read"}),
        rate=2.5,
        created_at=17,
    )


def test_a_key_that_makes_no_sense_is_refused_with_all_faults():
    with pytest.raises(Rejected) as rejected:
        new_key(" ", ["metrics:write"], 0, 0)
    assert [fault.field for fault in rejected.value.faults] == ["name", "scopes", "rate"]
    with pytest.raises(Rejected):
        new_key("k", [], None, 0)
