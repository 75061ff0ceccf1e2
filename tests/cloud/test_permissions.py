"""Permissions: what each role may do is enough, and without any single one of them something fails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.components.permissions import PERMISSIONS
from tests.cloud.cloud import Cloud

CASES = [
    pytest.param(function, row.on, action, id=f"{function}-{action}-{row.on}".replace("/", "."))
    for function, rows in PERMISSIONS.items()
    for row in rows
    for action in row.actions
]
"""One for each action on each resource of each role; the roles are declared from the same table."""


class Roles:
    """The policies of the functions' roles, as declared and with something taken out."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.client = cloud, cloud.moto.client("iam")
        self.declared: dict[str, Any] = {}
        for name in cloud.functions:
            (self.policy,) = (each for each in self.client.list_role_policies(RoleName=name)["PolicyNames"])
            found = self.client.get_role_policy(RoleName=name, PolicyName=self.policy)
            self.declared[name] = found["PolicyDocument"]

    def put(self, name: str, document: Any) -> None:
        self.client.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(document))

    def without(self, name: str, row: int, action: str) -> None:
        """Take one action out of the statement that a row of the table made."""
        document = json.loads(json.dumps(self.declared[name]))
        document["Statement"][row]["Action"].remove(action)
        self.put(name, document)

    def restore(self) -> None:
        for name, document in self.declared.items():
            self.put(name, document)


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> Iterator[Roles]:
    yield Roles(cloud)


@pytest.mark.parametrize("function", list(PERMISSIONS))
def test_with_its_declared_policy_a_function_does_all_its_work(cloud: Cloud, function: str) -> None:
    assert exercise(cloud, function) == []


@pytest.mark.parametrize(("function", "on", "action"), CASES)
def test_without_it_something_fails(cloud: Cloud, roles: Roles, function: str, on: str, action: str) -> None:
    row = next(n for n, each in enumerate(PERMISSIONS[function]) if each.on == on and action in each.actions)
    roles.without(f"{function}-{cloud.suffix}", row, action)
    try:
        assert exercise(cloud, function, action) != []
    finally:
        roles.restore()


def exercise(cloud: Cloud, function: str, action: str = "") -> list[str]:
    """Use a function in all its ways, or in those that need an action; returns what was refused."""
    cloud.platform.refused.clear()
    refused_before = len(cloud.moto.ask("local-cloud/refused"))
    for way in WAYS[function]:
        way(cloud)
        refused = cloud.moto.ask("local-cloud/refused")[refused_before:]
        if action and refused:
            return [str(each) for each in refused]
    return [str(each) for each in cloud.moto.ask("local-cloud/refused")[refused_before:]]


def body(**members: Any) -> dict[str, Any]:
    number = time.monotonic_ns()
    base = {"transaction_id": f"p-{number}", "amount": 10, "timestamp": int(time.time()) - 600, "customer_id": "c"}
    return base | {"merchant": "m"} | members


def post(cloud: Cloud) -> None:
    given = body()
    cloud.named("api-handler").go_cold()
    cloud.ask("GET", "/ready")
    cloud.ask("POST", "/transactions", given)
    cloud.ask("POST", "/transactions", given)
    cloud.ask("GET", f"/transactions/{given['transaction_id']}")


def decide_inline(cloud: Cloud) -> None:
    cloud.ask("POST", "/decisions", body(amount=9_000, customer_id="rich"))
    cloud.ask("POST", "/decisions", body(card_id="blocked"))


WAYS: dict[str, list[Callable[[Cloud], None]]] = {
    "api-handler": [post, decide_inline],
    "queue-consumer": [],
    "batch-processor": [],
    "report-generator": [],
}
