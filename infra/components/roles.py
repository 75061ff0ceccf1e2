"""One role per function, from the table of permissions; and who may take a role on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from pulumi_aws import iam

from infra.components.permissions import PERMISSIONS, Grant
from infra.components.place import Place

Document = dict[str, Any]
Condition = dict[str, dict[str, str | list[str]]]


def resources(place: Place, function: str, key_arn: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """What the names in the table of permissions stand for, as ARNs."""
    tables = {each: place.arn("dynamodb", f"table/{place.name(each)}") for each in ("transactions", "state")}
    bucket = f"arn:{place.partition}:s3:::{place.bucket}"
    return {
        **tables,
        **{f"transactions/{each}": f"{tables['transactions']}/index/{each}"
           for each in ("by-accepted", "by-time", "by-death")},
        **{f"state/{each}": f"{tables['state']}/index/{each}" for each in ("by-day", "untold", "pending")},
        "queue": place.arn("sqs", place.name("transaction-queue")),
        "dlq": place.arn("sqs", place.name("transaction-dlq")),
        "invocation-dlq": place.arn("sqs", place.name("invocation-dlq")),
        "alerts": place.arn("sns", place.name("alerts")),
        "bucket": bucket,
        "bucket/chunks": f"{bucket}/chunks/*",
        "bucket/reports": f"{bucket}/reports/*",
        "self": place.arn("lambda", f"function:{place.name(function)}"),
        # A log group's streams, which AWS only names with an asterisk.
        "logs": place.arn("logs", f"log-group:{place.log_group(function)}:*"),
        "tracing": "*",
        "key": key_arn,
    }  # fmt: skip


def statement(grant: Grant, on: Mapping[str, pulumi.Input[str]]) -> Document:
    """One row of the table as IAM writes it."""
    return {"Effect": "Allow", "Action": list(grant.actions), "Resource": on[grant.on]}


def document(statements: Iterable[Document]) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(service: str, condition: Condition | None = None) -> str:
    """The policy that lets a service of AWS take a role on."""
    made: Document = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps(document([made | ({"Condition": condition} if condition else {})]))


class FunctionRole(pulumi.ComponentResource):
    """What a function may do, which is all that it may do."""

    def __init__(
        self, place: Place, function: str, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("shroff:infra:FunctionRole", function, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.role = iam.Role(
            f"{function}-role",
            name=place.name(function),
            description=f"What {place.name(function)} may do",
            assume_role_policy=trust("lambda.amazonaws.com"),
            opts=child,
        )
        on = resources(place, function, key_arn)
        self.policy = iam.RolePolicy(
            f"{function}-policy",
            name=place.name(function),
            role=self.role.name,
            policy=pulumi.Output.json_dumps(document(statement(each, on) for each in PERMISSIONS[function])),
            opts=child,
        )
        self.register_outputs({})
