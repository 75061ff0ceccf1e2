"""The local cloud as a whole: the program applied, the functions ready to run, the glue between them."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

from shroff.adapters.aws.clients import Clients
from shroff.adapters.aws.names import names_of
from shroff.adapters.aws.store import AwsStore
from shroff.flows.audit import audit
from tests.cloud.functions import Code, Function, Settings, runtime_client, unpacked
from tests.cloud.gateway import Gateway, Response
from tests.cloud.platform import Platform
from tests.cloud.poller import Poller
from tests.cloud.process import ROOT, Moto
from tests.cloud.program import Applied, Declared
from tests.cloud.runtime_api import Result

DIST = ROOT / "dist"


@dataclass
class Doorbell:
    """Where moto hands invocations over: `/{RequestResponse|Event}/{function}`."""

    cloud: Cloud | None = None
    address: str = ""

    def open(self) -> Doorbell:
        bell = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                _, kind, name = self.path.split("/")
                assert bell.cloud is not None
                result = bell.cloud.asked(kind, name, body)
                self.send_response(200)
                if result.error:
                    self.send_header("X-Function-Error", "Unhandled")
                self.send_header("Content-Length", str(len(result.payload)))
                self.end_headers()
                self.wfile.write(result.payload)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Cloud:
    """One stack, applied and running."""

    moto: Moto
    applied: Applied
    outputs: dict[str, Any]
    codes: dict[str, Code]
    platform: Platform
    functions: dict[str, Function] = field(default_factory=dict)
    deaf: bool = False
    """Asynchronous invocations are let in, and nothing follows."""
    later: list[Future[None]] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))

    def __post_init__(self) -> None:
        for each in self.applied.of("aws:lambda/function:Function"):
            self.functions[each.inputs["name"]] = self.function(each)
        self.suffix = next(iter(self.functions.values())).settings.environment["SHROFF_SUFFIX"]
        self.gateway = Gateway(
            self.moto.client("apigateway"), "prod", self.run_for("apigateway.amazonaws.com")
        )
        (mapping,) = self.applied.of("aws:lambda/eventSourceMapping:EventSourceMapping")
        consumer = self.functions[str(mapping.inputs["functionName"])]
        self.poller = Poller(
            self.moto.client("lambda"), self.moto.client("sqs", consumer.credentials),
            self.moto.client("sqs"),
            self.run, mapping.identity,
        )  # fmt: skip

    def function(self, declared: Declared) -> Function:
        """A function as declared, with temporary credentials of its own role."""
        inputs = declared.inputs
        name, role = inputs["name"], inputs["role"]
        lambda_may_assume(self.moto, role)
        logging = inputs.get("loggingConfig") or {}
        environment = dict((inputs.get("environment") or {}).get("variables") or {})
        if logging.get("logFormat"):
            environment["AWS_LAMBDA_LOG_FORMAT"] = logging["logFormat"]
            environment["AWS_LAMBDA_LOG_LEVEL"] = logging.get("applicationLogLevel", "INFO")
        settings = Settings(name, role, float(inputs["timeout"]), int(inputs["memorySize"]), environment)
        credentials = assumed(self.moto, role, name)
        return Function(
            self.codes[name], settings, credentials, self.moto.endpoint, after=self.platform.after
        )

    def run(self, name: str, event: Any) -> Result:
        """Run a function now."""
        return self.functions[name].invoke(event)

    def named(self, short: str) -> Function:
        """A function by its name without the suffix."""
        return self.functions[f"{short}-{self.suffix}"]

    def run_for(self, service: str) -> Any:
        """Runs functions for a service of AWS, where the function's own policy lets it."""
        client = self.moto.client("lambda")
        allowed: set[str] = set()

        def run(name: str, event: Any) -> Result:
            if name not in allowed:
                policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
                who = [each["Principal"].get("Service") for each in policy["Statement"]]
                assert service in who, f"{service} may not invoke {name}"
                allowed.add(name)
            return self.run(name, event)

        return run

    def asked(self, kind: str, name: str, body: bytes) -> Result:
        """An Invoke that came through moto, let in by IAM."""
        name = unquote(name).rsplit(":", 1)[-1]
        if kind == "Event" and self.deaf:
            return Result(b"")
        if kind == "Event":
            self.soon(name, body)
            return Result(b"")
        return self.run(name, body)

    def soon(self, name: str, body: bytes) -> None:
        """Run it asynchronously: two more attempts, then to the declared destination as the function's
        role.
        """
        self.later.append(self.pool.submit(self.attempts, name, body))

    def attempts(self, name: str, body: bytes) -> None:
        config = self.moto.client("lambda").get_function_event_invoke_config(FunctionName=name)
        for _ in range(1 + config["MaximumRetryAttempts"]):
            result = self.run(name, body)
            if result.error is None:
                return
        target = config["DestinationConfig"]["OnFailure"]["Destination"]
        letter = {
            "version": "1.0", "timestamp": stamp(), "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": json.loads(body or b"null"), "responsePayload": result.value,
        }  # fmt: skip
        sqs = self.moto.client("sqs", self.functions[name].credentials)
        url = sqs_url(self.moto, target)
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))

    def settle(self, seconds: float = 120) -> None:
        """Wait for everything asynchronous, and for what that started."""
        deadline = time.monotonic() + seconds
        while self.later:
            self.later.pop(0).result(max(0.1, deadline - time.monotonic()))

    def fire(self, name: str, at: str | None = None) -> None:
        """A schedule fires, as the scheduler's own role; returns when all that followed is done."""
        schedules = self.moto.client("scheduler")
        group = f"shroff-{self.suffix}"
        target = schedules.get_schedule(Name=f"{name}-{self.suffix}", GroupName=group)["Target"]
        caller = self.moto.client("lambda", assumed(self.moto, target["RoleArn"], "scheduler"))
        event = target["Input"].replace("<aws.scheduler.scheduled-time>", at or stamp())
        caller.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=event.encode())
        self.settle()

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Response:
        """A request to the API with its key; bytes as they are, anything else as JSON."""
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        key = next(iter(self.gateway.keys), "")
        given = {"Content-Type": "application/json", "x-api-key": key, **headers}
        return self.gateway.request(method, path, body, given)

    def store(self) -> AwsStore:
        """The stack's own adapters, as an operator with patience: moto is one process, the machine shared."""
        clients = Clients(read_timeout=60)
        shards = int(self.named("api-handler").settings.environment["SHROFF_SHARDS"])
        return AwsStore(clients, names_of(clients, self.suffix), shards=shards)

    def audit(self) -> dict[str, Any]:
        store = self.store()
        found = audit(store.queue, store.ledger)
        store.close()
        return {**found.members(), "strays": found.strays}

    def close(self) -> None:
        for each in self.functions.values():
            each.close()
        self.pool.shutdown(wait=False, cancel_futures=True)


def lambda_may_assume(moto: Moto, role: str) -> None:
    """Lambda takes on a role only where the role's trust policy names it."""
    found = moto.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
    (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def assumed(moto: Moto, role: str, session: str) -> dict[str, str]:
    """Temporary credentials of a role."""
    found = moto.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def sqs_url(moto: Moto, arn: str) -> str:
    url: str = moto.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    return url


def stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def codes(applied: Applied, folder: Path) -> dict[str, Code]:
    """Each declared function's zip, unpacked; what is the same is unpacked once."""
    client = runtime_client(folder / "client")
    found = {}
    for each in applied.of("aws:lambda/function:Function"):
        archive = archive_of(each)
        task = folder / archive.stem
        if not task.exists():
            unpacked(archive, task)
        found[each.inputs["name"]] = Code(task, client, each.inputs["handler"])
    return found


def archive_of(function: Declared) -> Path:
    """The zip that the program names as the function's code."""
    code = function.inputs["code"]
    return Path(getattr(code, "path", None) or code["path"])
