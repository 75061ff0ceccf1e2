"""The program under Pulumi's mocks: what it declares, as plain data."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_pulumi_func
from pulumi_aws import lambda_, s3

from infra.components.shapes import SHAPES
from infra.program import stack
from infra.settings import Settings

with warnings.catch_warnings():
    # The first look into these modules warns of old names of their own.
    warnings.simplefilter("ignore", DeprecationWarning)
    _SEEN = (s3.Bucket, lambda_.Function)

ACCOUNT, REGION = "123456789012", "eu-west-3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One resource as the program declares it."""

    kind: str
    """`sqs.Queue`"""
    name: str
    given: dict[str, Any]

    def policy(self, name: str = "policy") -> dict[str, Any]:
        """A member that is JSON."""
        found: dict[str, Any] = json.loads(self.given[name])
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that one stack declares, and what it says at the end."""

    resources: list[Declared]
    outputs: dict[str, Any]

    def all(self, *kinds: str) -> Iterator[Declared]:
        """The resources of these kinds."""
        return (each for each in self.resources if each.kind in kinds)

    def one(self, kind: str, name: str) -> Declared:
        """The resource of this kind with this name in the program."""
        (found,) = (each for each in self.all(kind) if each.name == name)
        return found


@dataclass(slots=True)
class _Recorder(Mocks):
    resources: list[Declared] = field(default_factory=list)

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers = {
            "getCallerIdentity": {"accountId": ACCOUNT, "arn": "", "id": ACCOUNT, "userId": ""},
            "getRegion": {"region": REGION, "name": REGION, "id": REGION, "description": "", "endpoint": ""},
            "getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
        }  # fmt: skip
        return answers[args.token.rpartition(":")[2]], []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.typ.startswith("aws:"):
            return "", {}
        kind = f"{args.typ.split(':')[1].split('/')[0]}.{args.typ.split(':')[2]}"
        self.resources.append(Declared(kind=kind, name=args.name, given=dict(args.inputs)))
        known = physical_name(kind, args.inputs) or args.name
        return f"{kind}:{known}", args.inputs | _made(kind, known)


_NAMED = ("name", "bucket", "dashboardName", "namePrefix")


def physical_name(kind: str, given: dict[str, Any]) -> str | None:
    """What AWS will call it."""
    return next((given[each] for each in _NAMED if isinstance(given.get(each), str)), None)


def _made(kind: str, name: str) -> dict[str, Any]:
    """The attributes that AWS gives, as far as the program reads them."""

    def arn(service: str, rest: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"

    made: dict[str, Callable[[], dict[str, Any]]] = {
        "sqs.Queue": lambda: {"arn": arn("sqs", name), "url": f"https://sqs.example/{ACCOUNT}/{name}"},
        "sns.Topic": lambda: {"arn": arn("sns", name)},
        "dynamodb.Table": lambda: {"arn": arn("dynamodb", f"table/{name}")},
        "s3.Bucket": lambda: {"arn": f"arn:aws:s3:::{name}"},
        "kms.Key": lambda: {"arn": arn("kms", "key/1234"), "keyId": "1234"},
        "iam.Role": lambda: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
        "lambda.Function": lambda: {
            "arn": arn("lambda", f"function:{name}"),
            "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{name}/invocations",
        },
        "cloudwatch.LogGroup": lambda: {"arn": arn("logs", f"log-group:{name}")},
        "apigateway.RestApi": lambda: {"rootResourceId": "root", "executionArn": arn("execute-api", "api1")},
    }  # fmt: skip
    return made[kind]() if kind in made else {}


def zips(folder: Path, content: bytes = b"zip") -> Path:
    """A folder with a file for each function's code."""
    for shape in SHAPES:
        (folder / f"{shape.name}.zip").write_bytes(content)
    return folder


def declare(settings: Settings, dist: Path) -> World:
    """Run the program once. Raises what the program raises."""
    recorder = _Recorder()
    outputs: dict[str, Any] = {}

    def program() -> None:
        for name, value in stack(settings, dist).items():
            pulumi.Output.from_input(value).apply(partial(outputs.__setitem__, name))

    with loops() as loop:
        set_mocks(recorder, project="shroff", stack=settings.suffix, preview=False)
        loop.run_until_complete(run_pulumi_func(program))
    return World(resources=recorder.resources, outputs=outputs)


@contextmanager
def loops() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for Pulumi, here and in the thread that answers it, both closed at the end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with ThreadPoolExecutor(max_workers=1) as answering:
            loop.set_default_executor(answering)
            try:
                yield loop
            finally:
                answering.submit(_close).result()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _close() -> None:
    with suppress(RuntimeError):  # it was never asked, and has none
        asyncio.get_event_loop().close()
