"""Permissions: what each role may do is enough, and without any single one of them something fails."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.components.permissions import PERMISSIONS
from tests.cloud.cloud import Cloud
from tests.cloud.troubles import taken_from
from tests.cloud.ways import WAYS, Way

pytestmark = pytest.mark.timeout(600)

CASES = [
    pytest.param(function, number, action, id=f"{function}-{action}-{row.on}".replace("/", "."))
    for function, rows in PERMISSIONS.items()
    for number, row in enumerate(rows)
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
        if not document["Statement"][row]["Action"]:
            del document["Statement"][row]
        self.put(name, document)

    def restore(self) -> None:
        for name, document in self.declared.items():
            self.put(name, document)


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> Roles:
    return Roles(cloud)


@dataclass(frozen=True)
class Need:
    """What one way of use asks for, and what is refused of it, with all permissions given."""

    way: Way
    asked: set[str]
    refused: list[str]
    seconds: float


Needs = dict[str, list[Need]]


@pytest.mark.parametrize("function", list(PERMISSIONS))
def test_with_its_declared_policy_a_function_does_all_its_work(needs: Needs, function: str) -> None:
    assert [each.refused for each in needs[function] if each.refused] == []


@pytest.mark.parametrize(("function", "row", "action"), CASES)
def test_without_it_something_fails(
    cloud: Cloud, roles: Roles, needs: Needs, function: str, row: int, action: str
) -> None:
    quickest = sorted(needs[function], key=lambda each: each.seconds)
    # Twice: only what a run before has sealed is sealed again, and five minutes may just have passed.
    ways = 2 * [each.way for each in quickest if action in each.asked]
    assert ways, "nothing that is done here asks for it"
    roles.without(f"{function}-{cloud.suffix}", row, action)
    try:
        refused = used(cloud, ways, until_refused=True)
    finally:
        roles.restore()
        recover(cloud)
    assert any(action in each for each in refused), refused


def used(cloud: Cloud, ways: Sequence[Way], *, until_refused: bool) -> list[str]:
    """Use a function in these ways, or until something is refused; returns what was."""
    cloud.platform.streams.clear()
    before = len(cloud.moto.ask("local-cloud/refused"))
    refused: list[str] = []
    for way in ways:
        with suppress(ClientError):
            way(cloud)
        refused = cloud.moto.ask("local-cloud/refused")[before:]
        if refused and until_refused:
            break
    return refused


@pytest.fixture(scope="module")
def needs(cloud: Cloud) -> Needs:
    found: Needs = {}
    for function, ways in WAYS.items():
        for way in ways:
            cloud.moto.ask("local-cloud/asked")
            began = time.monotonic()
            refused = used(cloud, [way], until_refused=False)
            seconds = time.monotonic() - began
            asked = set(cloud.moto.ask("local-cloud/asked"))
            found.setdefault(function, []).append(Need(way, asked, refused, seconds))
    return found


def recover(cloud: Cloud) -> None:
    """Nothing of one case is left for the next."""
    cloud.moto.fail()
    cloud.deaf = False
    queues = cloud.moto.client("sqs")
    for url in (cloud.poller.url, cloud.outputs["dlq_url"]):
        for each in taken_from(cloud, url):
            queues.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
