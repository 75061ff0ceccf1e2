"""Applies the Pulumi program: each resource that it declares is created in the local cloud."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks

from tests.cloud.creating.registry import CREATORS
from tests.cloud.process import ACCOUNT, REGION, Moto
from tests.infra.declared import loops

for _room in ("api", "store", "watch", "work"):
    importlib.import_module(f"tests.cloud.creating.{_room}")

UNSUPPORTED = frozenset(
    {
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
        "aws:apigateway/account:Account",  # the account's logging role
        "aws:apigateway/methodSettings:MethodSettings",  # throttle, metrics, data trace
    }
)
"""What moto has no place for: recorded, not created."""

IDENTITY = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/operator", "id": ACCOUNT,
        "userId": "operator",
    },
    "aws:index/getRegion:getRegion": {
        "region": REGION, "name": REGION, "id": REGION, "description": "",
        "endpoint": f"ec2.{REGION}.amazonaws.com",
    },
    "aws:index/getPartition:getPartition": {
        "partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws", "reverseDnsPrefix": "com.amazonaws",
    },
}  # fmt: skip


@dataclass
class Declared:
    """A resource as the program declares it, and the id that it got."""

    kind: str
    name: str
    inputs: Mapping[str, Any]
    identity: str


@dataclass
class Applied(Mocks):
    """Pulumi's test mocks, but for that they create."""

    moto: Moto
    resources: list[Declared] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        inputs = plain(args.inputs)
        identity, attributes = f"{args.name}-id", dict[str, Any]()
        if args.typ in CREATORS:
            identity, attributes = CREATORS[args.typ](self.moto, inputs)
        elif args.typ.startswith("aws:") and args.typ not in UNSUPPORTED:
            raise NotImplementedError(f"The local cloud cannot create {args.typ}")
        self.resources.append(Declared(args.typ, args.name, inputs, identity))
        return identity, {**args.inputs, **attributes}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return IDENTITY[args.token], []

    def of(self, kind: str) -> list[Declared]:
        return [each for each in self.resources if each.kind == kind]


def plain(value: Any) -> Any:
    """Pulumi's inputs as JSON would have them; whole numbers come as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def apply(
    moto: Moto, configuration: Mapping[str, str], name: str, dist: Path
) -> tuple[Applied, dict[str, Any]]:
    """Run the program for a stack of this name; returns what it made, and its outputs."""
    mocks = Applied(moto)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pulumi_aws warns of itself when it is imported
        with loops():
            return mocks, _apply(mocks, configuration, name, dist)


def _apply(mocks: Applied, configuration: Mapping[str, str], name: str, dist: Path) -> dict[str, Any]:
    pulumi.runtime.set_mocks(mocks, project="shroff", stack=name, preview=False)
    program, settings = importlib.import_module("infra.program"), importlib.import_module("infra.settings")
    outputs: dict[str, Any] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[Any]:
        made = program.stack(settings.read_settings(configuration, name), dist)

        def keep(values: Any) -> None:
            outputs.update(json.loads(json.dumps(values, default=str)))

        return pulumi.Output.all(**made).apply(keep)

    run()
    return outputs
