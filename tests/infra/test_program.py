"""The program: what it says when something is missing, what it tells the functions, what it lets them do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.components.functions import CodeMissing, packages
from infra.components.permissions import PERMISSIONS
from infra.components.shapes import CONSUMER_TIMEOUT, SHAPES
from infra.settings import Settings
from shroff.runtimes.lambdas.settings import read_cloud_settings
from tests.infra.declared import World, declare, zips

ROOT = Path(__file__).parents[2]


def test_a_missing_zip_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    zips(tmp_path)
    (tmp_path / "queue-consumer.zip").unlink()
    with pytest.raises(CodeMissing, match=r"There is no queue-consumer\.zip in .*: run `make package` first"):
        packages([shape.name for shape in SHAPES], tmp_path)


def test_other_code_is_deployed(world: World, tmp_path: Path) -> None:
    other = declare(Settings(suffix="prod"), zips(tmp_path, b"another"))
    hashes = [
        each.one("lambda.Function", "queue-consumer").given["sourceCodeHash"] for each in (world, other)
    ]
    assert hashes[0] != hashes[1]


def test_the_outputs_are_what_the_issue_names(world: World) -> None:
    named = {
        "api_endpoint",
        "s3_bucket_name",
        "dynamodb_table_arn",
        "sqs_queue_url",
        "dlq_url",
        "dashboard_url",
    }
    assert named <= world.outputs.keys()
    assert world.outputs["s3_bucket_name"] == "shroff-reports-prod-123456789012"
    assert world.outputs["api_endpoint"].endswith(".execute-api.eu-west-3.amazonaws.com/prod")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_function_can_read_what_it_is_told(shape: object, world: World) -> None:
    told = world.one("lambda.Function", getattr(shape, "name", "")).given["environment"]["variables"]
    settings = read_cloud_settings(told)
    assert (settings.suffix, settings.shards, settings.retention_days) == ("prod", 16, None)
    assert {settings.transactions_table, settings.state_table} == {"transactions-prod", "state-prod"}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_handler_is_there_and_told_all_that_it_asks_for(shape: object, world: World) -> None:
    function = world.one("lambda.Function", getattr(shape, "name", "")).given
    program = (
        "import importlib, os\n"
        f"module = importlib.import_module({function['handler'].rpartition('.')[0]!r})\n"
        "from shroff.runtimes.lambdas.settings import read_cloud_settings\n"
        "assert callable(module.handler)\n"
        "read_cloud_settings().require(*module._NEEDS)\n"
    )
    environment = {"PATH": os.environ["PATH"], **function["environment"]["variables"]}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_every_role_is_what_its_row_of_the_table_says(world: World) -> None:
    for shape in SHAPES:
        policy = world.one("iam.RolePolicy", f"{shape.name}-policy").policy()
        said = [action for grant in PERMISSIONS[shape.name] for action in grant.actions]
        assert [action for each in policy["Statement"] for action in each["Action"]] == said
        assert all(each["Effect"] == "Allow" for each in policy["Statement"])


@pytest.mark.parametrize("function", PERMISSIONS)
def test_no_permission_is_given_twice(function: str) -> None:
    given = [(grant.on, action) for grant in PERMISSIONS[function] for action in grant.actions]
    assert sorted(set(given)) == sorted(given)


def test_windows_are_sealed_after_what_was_being_decided() -> None:
    assert Settings(suffix="a").sweep_delay > CONSUMER_TIMEOUT


def test_the_tables_are_read_by_index(world: World) -> None:
    keys = {
        (table.name, index["name"]): [each["attributeName"] for each in index["keySchemas"]]
        for table in world.all("dynamodb.Table")
        for index in table.given["globalSecondaryIndexes"]
    }
    assert keys == {
        ("transactions", "by-accepted"): ["accepted_in", "received_at"],
        ("transactions", "by-time"): ["occurred_in", "occurred_at"],
        ("transactions", "by-death"): ["dead", "died_at"],
        ("state", "by-day"): ["day", "occurred_at"],
        ("state", "untold"): ["untold", "raised_at"],
        ("state", "pending"): ["pending", "look_at"],
    }


@pytest.mark.parametrize(
    ("suffix", "given", "protected"), [("prod", None, True), ("dev", None, False), ("dev", True, True)]
)
def test_the_tables_of_prod_refuse_to_be_deleted(
    suffix: str, given: bool | None, protected: bool, dist: Path
) -> None:
    world = declare(Settings(suffix=suffix, deletion_protection=given), dist)
    said = {each.given["deletionProtectionEnabled"] for each in world.all("dynamodb.Table")}
    assert said == {protected}


def test_concurrency_can_be_left_out(dist: Path) -> None:
    world = declare(Settings(suffix="new", reserved_concurrency=None, maximum_concurrency=5), dist)
    assert {each.given["reservedConcurrentExecutions"] for each in world.all("lambda.Function")} == {-1}
    assert world.one("lambda.EventSourceMapping", "transactions").given["scalingConfig"] == {
        "maximumConcurrency": 5
    }


@pytest.mark.parametrize(("said", "kept"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("ERROR", "INFO")])
def test_metrics_are_written_whatever_is_logged(said: Any, kept: str, dist: Path) -> None:
    """A line without a level, as metrics are, counts as INFO: Lambda drops it where it keeps only errors."""
    world = declare(Settings(suffix="dev", log_level=said), dist)
    for function in world.all("lambda.Function"):
        assert function.given["loggingConfig"]["applicationLogLevel"] == kept
        assert function.given["environment"]["variables"]["SHROFF_LOG_LEVEL"] == said


def test_the_dashboard_shows_every_alarm(world: World) -> None:
    dashboard = json.loads(world.one("cloudwatch.Dashboard", "dashboard").given["dashboardBody"])
    shown = {arn.rpartition(":")[2] for arn in dashboard["widgets"][0]["properties"]["alarms"]}
    assert shown == {alarm.given["name"] for alarm in world.all("cloudwatch.MetricAlarm")}
    assert len({(each["x"], each["y"]) for each in dashboard["widgets"]}) == len(dashboard["widgets"])


def test_the_report_has_a_set_hour_and_the_sweep_a_minute_after_each_window(dist: Path) -> None:
    world = declare(Settings(suffix="dev", report_hour=4), dist)
    said = {each.name: each.given["scheduleExpression"] for each in world.all("scheduler.Schedule")}
    assert said == {"sweep": "cron(1/5 * * * ? *)", "report": "cron(0 4 * * ? *)"}


def test_mail_is_subscribed_where_it_is_asked_for(world: World, dist: Path) -> None:
    (subscription,) = world.all("sns.TopicSubscription")
    assert subscription.given["endpoint"] == "on-call@example.com"
    assert list(declare(Settings(suffix="dev"), dist).all("sns.TopicSubscription")) == []


PULUMI = """
import asyncio, json, os, runpy, sys
import pulumi
from pulumi.runtime import Mocks, set_mocks
from pulumi.runtime.stack import run_pulumi_func

class Engine(Mocks):
    def call(self, args):
        return {"accountId": "1", "region": "eu-west-3", "partition": "aws", "dnsSuffix": "x"}

    def new_resource(self, args):
        return args.name, args.inputs

pulumi.runtime.set_all_config(json.loads(os.environ["PULUMI_CONFIG"]), [])
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
set_mocks(Engine(), project="shroff", stack="dev", preview=False)
try:
    loop.run_until_complete(run_pulumi_func(lambda: runpy.run_path(sys.argv[1], run_name="__main__")))
except pulumi.RunError as error:
    print(error)
"""
"""What Pulumi's language host does with a program: it runs the folder, from within."""


def test_pulumi_runs_the_folder_and_is_told_every_fault_at_once(tmp_path: Path) -> None:
    wrong = {"shroff:shards": "0", "shroff:currency": "euro", "aws:region": "eu-west-3"}
    environment = {"PATH": os.environ["PATH"], "PULUMI_CONFIG": json.dumps(wrong)}
    (tmp_path / "host.py").write_text(PULUMI)
    command = [sys.executable, str(tmp_path / "host.py"), str(ROOT / "infra")]
    found = subprocess.run(
        command, cwd=ROOT / "infra", env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.splitlines() == [
        "The configuration of this stack is wrong:",
        "currency: must be an ISO 4217 code in capitals, not 'euro'",
        "shards: must be a whole number, at least 1, not '0'",
    ]
