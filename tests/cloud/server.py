"""The process of the local cloud: moto behind our own door, with its shortcomings mended.

`python -m tests.cloud.server FUNCTIONS` prints its port and serves until its standard input ends. FUNCTIONS
is the address to which an invocation of a function is handed (`tests.cloud.functions`).

What moto does not do, and who does it here: IAM's resources and conditions, key permissions (`iam`);
DynamoDB's atomic transactions (`tests.adapters.moto_tables`); running functions and event sources (the
process that runs the tests); counting and failing requests (`door`).
"""

from __future__ import annotations

import os
import sys
import urllib.request
from threading import Thread, local
from typing import Any

from moto.awslambda.models import LambdaBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import Queue, SQSBackend
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.adapters import moto_tables
from tests.cloud import iam
from tests.cloud.door import Door


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_: object) -> None:
        pass


def hand_over_invocations(functions: str) -> None:
    """Lambda's Invoke, once IAM has let it in, reaches the function that the tests run."""

    def invoke(
        self: LambdaBackend, function_name: str, qualifier: str | None, body: Any, headers: Any, answer: Any
    ) -> bytes:
        self.get_function(function_name, qualifier)
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        request = urllib.request.Request(
            f"{functions}/{kind}/{function_name}",
            body if isinstance(body, bytes) else (body or "{}").encode(),
        )
        with urllib.request.urlopen(request, timeout=900) as reply:
            content: bytes = reply.read()
            if reply.headers.get("X-Function-Error"):
                answer["x-amz-function-error"] = reply.headers["X-Function-Error"]
        answer["Content-Length"] = str(len(content))
        return content

    LambdaBackend.invoke = invoke  # type: ignore[method-assign, assignment]


def leave_event_sources_to_the_poller() -> None:
    """A mapping's queue would otherwise try to run the function in a container at every message."""
    Queue.lambda_event_source_mappings = property(lambda self: {}, lambda self, value: None)  # type: ignore[assignment]


def move_messages_without_counting() -> None:
    """To see whether one is a repetition or too old, moto counts all of its queue, three ways, each time."""
    sending, send, attributes = local(), SQSBackend.send_message, Queue.attributes

    def send_message(self: SQSBackend, *arguments: Any, **named: Any) -> Any:
        sending.now = True
        try:
            return send(self, *arguments, **named)
        finally:
            sending.now = False

    def known(self: Queue) -> dict[str, Any]:
        if getattr(sending, "now", False):
            return {}
        found: dict[str, Any] = attributes.fget(self)  # type: ignore[attr-defined]
        return found

    SQSBackend.send_message = send_message  # type: ignore[method-assign]
    Queue.attributes = property(known)  # type: ignore[assignment, method-assign]
    # No story keeps a message for days.
    SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True  # type: ignore[method-assign]


def main(functions: str) -> None:
    moto_tables.mend()
    iam.mend()
    hand_over_invocations(functions)
    leave_event_sources_to_the_poller()
    move_messages_without_counting()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, Door(application), threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # connections that functions keep open must not hold the process


if __name__ == "__main__":
    main(sys.argv[1])
