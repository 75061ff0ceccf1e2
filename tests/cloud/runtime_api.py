"""Lambda's runtime API, version 2018-06-01, for one execution environment."""

from __future__ import annotations

import json
import queue
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Result:
    """What a function answered: its payload, and the kind of error if it was one."""

    payload: bytes = b"null"
    error: str | None = None

    @property
    def value(self) -> Any:
        return json.loads(self.payload)


@dataclass
class Invocation:
    """An event on its way through a function."""

    payload: bytes
    deadline: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: queue.Queue[Result] = field(default_factory=queue.Queue)


class RuntimeApi:
    """Hands invocations to the one runtime client that asks for them."""

    def __init__(self, function_arn: str) -> None:
        self.function_arn = function_arn
        self.waiting: queue.Queue[Invocation | None] = queue.Queue()
        self.current: Invocation | None = None
        self.ready_after: float | None = None
        self.init_error: Result | None = None
        self._started = time.monotonic()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: two would wait for each other's acknowledgement
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                api.next(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                api.take(self.path, body, self.headers.get("Lambda-Runtime-Function-Error-Type"))
                self.reply(202, b'{"status":"OK"}')

            def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                members = {"Content-Type": "application/json", "Content-Length": str(len(body))}
                for name, value in {**members, **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def next(self, request: Any) -> None:
        """The runtime asks for work: it has started, or has answered what it had."""
        if self.ready_after is None:
            self.ready_after = time.monotonic() - self._started
        invocation = self.waiting.get()
        if invocation is None:
            request.close_connection = True
            return
        self.current = invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=1",
        }
        request.reply(200, invocation.payload, headers)

    def take(self, path: str, body: bytes, error: str | None) -> None:
        """An answer, an error, or that the function cannot even start."""
        if path.endswith("/init/error"):
            self.init_error = Result(body, error or "InitError")
            if self.current is not None:
                self.current.done.put(self.init_error)
        elif self.current is not None and self.current.request_id in path:
            kind = (error or "Unhandled") if path.endswith("/error") else None
            self.current.done.put(Result(body, kind))

    def close(self) -> None:
        self.waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
