"""What the documents and the examples hand out works as it is."""

from __future__ import annotations

import hmac
import importlib.util
import io
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from shroff.adapters.notify import sign
from shroff.core.errors import Rejected
from shroff.core.policy_document import read_policy
from shroff.flows.audit import audit
from shroff.flows.ingest import entry_of_members
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.settings import Settings, Smtp, Webhook, read_settings
from shroff.runtimes.wiring.embedded import open_embedded
from tests.docs.pages import ROOT, blocks, text

EXAMPLES = ROOT / "examples"


def test_the_example_policy_is_sound() -> None:
    policy = read_policy(text("examples/policy.toml"))
    assert policy.rules
    assert policy.sweep.rules
    assert policy.lists
    assert policy.attributes


def test_the_blocks_of_the_policy_page_are_one_sound_policy() -> None:
    policy = read_policy("\n".join(blocks(text("docs/policy.md"), "toml")))
    assert policy.name == "shop"
    assert len(policy.rules) == 3
    assert len(policy.sweep.rules) == 2


def test_a_misspelt_name_is_refused_as_the_policy_page_shows() -> None:
    (shown,) = [block for block in blocks(text("docs/policy.md"), "") if "did you mean" in block]
    misspelt = text("examples/policy.toml").replace(
        "amount > customer.amount_mean", "amount > customer.amount_meen"
    )
    misspelt = misspelt.replace(
        '"""customer.count_30d >= 5 and not list.regulars\n    and ', '"""amount > 1 or '
    )
    with pytest.raises(Rejected) as refused:
        read_policy(misspelt)
    assert [fault.problem for fault in refused.value.faults] == [shown.strip()]


def test_the_example_settings_are_every_setting_with_its_default(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(text("examples/settings.toml"))
    settings = read_settings(tmp_path, {})
    plain = {name for name in Settings.__struct_fields__ if name not in {"webhook", "smtp"}}
    assert {name: getattr(settings, name) for name in plain} == {
        name: getattr(Settings(), name) for name in plain
    }
    for struct in (Settings, Webhook, Smtp):
        for field in msgspec.structs.fields(struct):
            assert f"\n{field.name} = " in text("examples/settings.toml").replace("\n# ", "\n").replace(
                f"[{field.name}]", f"{field.name} = "
            )


def test_a_receiver_can_verify_a_webhook_as_the_page_says() -> None:
    names: dict[str, Any] = {}
    (block,) = blocks(text("docs/operations.md"), "python")
    exec(compile(block, "operations.md", "exec"), names)
    good = {
        "secret": "s",
        "timestamp": "1700000000",
        "body": b"{}",
        "signature": sign("s", 1700000000, b"{}"),
    }
    verify = names["is_from_shroff"]
    assert verify(**good, now=1700000299)
    assert not verify(**good, now=1700000301)
    assert not verify(**{**good, "body": b"{ }"}, now=1700000000)
    assert not verify(**{**good, "secret": "t"}, now=1700000000)
    assert names["hmac"] is hmac


def test_the_backup_of_the_page_can_be_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, backup = tmp_path / "data", tmp_path / "backup"
    backup.mkdir()
    working = open_embedded(source)
    for number in range(3):
        members = {"transaction_id": f"t{number}", "amount": 1, "timestamp": 1700000000 + number}
        working.queue.append([entry_of_members(members, currency="USD", received_at=0)])
        if number < 2:
            worker_over(working).step()
    (block,) = [each for each in blocks(text("docs/operations.md"), "sh") if "backup" in each]
    monkeypatch.setattr(sys, "argv", ["-", str(source), str(backup)])
    exec(block.partition("\n")[2].rpartition("EOF")[0], {"sqlite3": sqlite3})
    working.close()
    restored = open_embedded(backup, create=False)
    found = audit(restored.queue, restored.store.ledger)
    restored.close()
    assert (found.accepted, found.decided, found.in_flight, found.missing) == (3, 2, 1, ())


class _Gateway(BaseHTTPRequestHandler):
    """Refuses the first post for a moment, then answers as the contract says."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        posts: list[tuple[str, str | None]] = self.server.posts  # type: ignore[attr-defined]
        posts.append((self.path, self.headers["X-API-Key"]))
        name = body.get("transaction_id")
        if len(posts) == 1:
            self.answer(503, {"error": "try again"}, ("Retry-After", "3"))
        elif name is None:
            problem = "Missing required field: transaction_id"
            self.answer(400, {"error": problem, "faults": [{"field": "transaction_id", "problem": problem}]})
        elif self.path == "/decisions":
            reasons = [{"reason": "Card is on the blocklist"}]
            self.answer(
                200, {"transaction_id": name, "outcome": "decline", "score": 0.95, "reasons": reasons}
            )
        else:
            self.answer(202, {"transaction_id": name, "message_id": "m-000000000001"})

    def answer(self, status: int, members: dict[str, Any], *headers: tuple[str, str]) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Gateway) as server:
        server.posts = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def example_client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("client", EXAMPLES / "client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_client_posts_waits_and_says_what_was_refused(gateway: ThreadingHTTPServer) -> None:
    module, waits = example_client(), list[float]()
    client = module.Client(f"http://127.0.0.1:{gateway.server_port}", "key", waits.append)
    said = list(module.post(client, io.BytesIO(b'{"transaction_id": "t1"}\n{"amount": 1}\n'), decide=False))
    said += module.post(client, [b'{"transaction_id": "t2"}'], decide=True)
    client._connection.close()
    assert said == [
        "t1  accepted as m-000000000001",
        "line 2 was refused with 400: Missing required field: transaction_id",
        "t2  decline  0.95  Card is on the blocklist",
    ]
    assert waits == [3.0]
    posts = [("/transactions", "key")] * 3 + [("/decisions", "key")]
    assert gateway.posts == posts  # type: ignore[attr-defined]
