"""The door of the local cloud: every request passes it, is counted, and can be made to fail."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from typing import Any

from moto.sts.models import sts_backends

from tests.cloud.iam import ASKED, REFUSED

_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/")

ERRORS = {
    "refused": ("500 Internal Server Error", "InternalServerError"),
    "throttled": ("400 Bad Request", "ProvisionedThroughputExceededException"),
    "invalid": ("400 Bad Request", "ValidationException"),
}

Environ = dict[str, Any]
Start = Callable[..., Any]


class Door:
    """Counts requests by (who, service, action, table or queue); fails those that a story asks to fail.

    A fault has `service`, `action`, and as wanted `what` (part of the table's, queue's or key's name),
    `who` (part of the role's name), `body` (part of the request's), `times`, `skip`, and `how`: "refused"
    (500, no effect), "throttled" (400), "invalid" (400, not worth another attempt), "lost" (took effect,
    then the connection breaks), "cut" (no effect, the connection breaks), "slow" (took effect, `seconds`
    later), "conflict" (a transaction that met another).
    """

    def __init__(self, application: Callable[[Environ, Start], Iterable[bytes]]) -> None:
        self.application = application
        self.counts: Counter[tuple[str, str, str, str]] = Counter()
        self.faults: list[dict[str, Any]] = []
        self.struck: list[dict[str, Any]] = []
        self.lock = Lock()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/local-cloud/"):
            return self.control(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        request = described(environ, body)
        with self.lock:
            self.counts[request["who"], request["service"], request["action"], request["what"]] += 1
            fault = self.next_fault(request, body)
        if fault is None:
            return self.application(environ, start)
        if fault["how"] == "conflict":
            items = json.loads(body)["TransactItems"]
            reasons = [{"Code": "TransactionConflict", "Message": "injected"} for _ in items]
            return answer(start, "400 Bad Request", {
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "message": "injected [TransactionConflict]",
                "CancellationReasons": reasons,
            })  # fmt: skip
        return self.fail(fault, environ, start)

    def next_fault(self, request: dict[str, str], body: bytes) -> dict[str, Any] | None:
        for fault in self.faults:
            if fault["service"] != request["service"] or fault["action"] != request["action"]:
                continue
            if fault.get("what", "") not in request["what"] or fault.get("who", "") not in request["who"]:
                continue
            if fault.get("body", "").encode() not in body:
                continue
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
            elif fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
                self.struck.append({**request, "how": fault["how"]})
                return fault
        return None

    def fail(self, fault: dict[str, Any], environ: Environ, start: Start) -> Iterable[bytes]:
        how = fault["how"]
        if how in ERRORS:
            status, kind = ERRORS[how]
            if "HTTP_X_AMZ_TARGET" in environ:
                return answer(start, status, {"__type": kind, "message": "injected"})
            return answer_xml(start, status, kind, bare="/s3/" in environ.get("HTTP_AUTHORIZATION", ""))
        if how == "slow":
            content = b"".join(self.application(environ, start))
            time.sleep(float(fault["seconds"]))
            return [content]
        if how == "lost":
            b"".join(self.application(environ, lambda *_: None))
        environ["werkzeug.socket"].shutdown(2)
        raise ConnectionAbortedError

    def control(self, environ: Environ, start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self.lock:
            match environ["PATH_INFO"].rsplit("/", 1)[-1]:
                case "faults" if environ["REQUEST_METHOD"] == "GET":
                    return answer(start, "200 OK", self.faults)
                case "faults":
                    self.faults = json.loads(body)
                    self.struck = []
                case "asked":
                    asked = sorted(ASKED)
                    ASKED.clear()
                    return answer(start, "200 OK", asked)
                case "refused":
                    return answer(start, "200 OK", REFUSED)
                case "struck":
                    return answer(start, "200 OK", self.struck)
                case "counts":
                    counts = [[*key, number] for key, number in sorted(self.counts.items())]
                    if environ["REQUEST_METHOD"] == "POST":
                        self.counts.clear()
                    return answer(start, "200 OK", counts)
        return answer(start, "200 OK", [])


def described(environ: Environ, body: bytes) -> dict[str, str]:
    """Who asks which service for what: a role's or user's name, the action, the table, queue or bucket."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    key, service = credential.groups() if credential else ("", "")
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        members = json.loads(body or b"{}")
        action, what = target.rsplit(".", 1)[-1], subject(members)
    elif body.startswith(b"Action=") or b"&Action=" in body:
        action, what = re.search(rb"Action=(\w+)", body)[1].decode(), ""  # type: ignore[index]
    else:
        action, what = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    return {"who": role_of(key), "service": service, "action": action, "what": what}


def subject(members: dict[str, Any]) -> str:
    """The tables or the queue that a JSON request is about."""
    if "TableName" in members:
        index = members.get("IndexName")
        return f"{members['TableName']}/{index}" if index else str(members["TableName"])
    if "TransactItems" in members:
        acts = [next(iter(item.values())) for item in members["TransactItems"]]
        return ",".join(sorted({act["TableName"] for act in acts}))
    if "RequestItems" in members:
        return ",".join(sorted(members["RequestItems"]))
    return str(members.get("QueueUrl", members.get("QueueName", ""))).rsplit("/", 1)[-1]


def role_of(access_key: str) -> str:
    for account in sts_backends.values():
        for backend in account.values():
            for role in backend.assumed_roles:
                if role.access_key_id == access_key:
                    return str(role.role_arn).rsplit("/", 1)[-1]
    return "operator"


def answer(start: Start, status: str, content: Any) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [body]


def answer_xml(start: Start, status: str, kind: str, *, bare: bool) -> Iterable[bytes]:
    """An error as the older protocols say it; S3 says it without the envelope."""
    error = f"<Error><Code>{kind}</Code><Message>injected</Message></Error>"
    body = (error if bare else f"<ErrorResponse>{error}</ErrorResponse>").encode()
    start(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
    return [body]
