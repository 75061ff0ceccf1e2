from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from shroff.core.alert import Alert


def alert(number: int = 1, **members: Any) -> Alert:
    values: dict[str, Any] = {
        "alert_id": f"alert-{number:04d}",
        "rule": "velocity",
        "entity": "customer",
        "key": "cust-001",
        "outcome": "decline",
        "score": 0.9,
        "reason": "Many payments in a short time",
        "transaction_id": f"txn-{number}",
        "occurred_at": 1_700_000_000_000 + number,
        "raised_at": 1_700_000_005_000,
    }
    return Alert(**(values | members))


@dataclass
class Receiver:
    """A server that keeps what it was posted and answers as it is told."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slow: Event | None = None
    """Not answered before it is set."""
    drip: bool = False
    """Answers a byte now and then, without an end."""
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept, over = Receiver(), Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posted.append((self.path, dict(self.headers), body))
            if kept.slow is not None:
                kept.slow.wait()
            while kept.drip and not over.wait(0.02):
                self.wfile.write(b"x")
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            kept.posted.append(("GET " + self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Silence."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                """The client went away, as it should."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hooks/fraud?team=7"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield kept
        over.set()
        if kept.slow is not None:
            kept.slow.set()
        server.shutdown()
        thread.join()
