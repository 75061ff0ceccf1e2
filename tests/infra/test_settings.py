"""Configuration is typed, checked, and all its faults are said at once."""

from __future__ import annotations

import dataclasses
import re

import pytest

from infra.components.place import Place
from infra.components.rules import rules
from infra.settings import Settings, SettingsError, read_settings
from tests.docs.pages import cells, text


def faults(stack: str = "dev", **given: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read_settings({f"shroff:{name}": value for name, value in given.items()}, stack)
    return list(refused.value.faults)


def test_a_stack_needs_no_configuration() -> None:
    assert read_settings({"aws:region": "eu-west-3"}, "dev") == Settings(suffix="dev")


def test_configuration_comes_as_text() -> None:
    given = {
        "suffix": "blue",
        "shards": "32",
        "force_destroy": "true",
        "retention_days": "400",
        "log_retention_days": "90",
        "reserved_concurrency": "none",
        "alarm_emails": '["a@example.com"]',
    }
    wanted = Settings(
        suffix="blue",
        shards=32,
        force_destroy=True,
        retention_days=400,
        log_retention_days=90,
        reserved_concurrency=None,
        alarm_emails=["a@example.com"],
    )
    assert read_settings({f"shroff:{name}": value for name, value in given.items()}, "dev") == wanted


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("shards", "0", "must be a whole number, at least 1"),
        ("shards", "many", "must be a whole number"),
        ("report_hour", "24", "must be a whole number, at most 23"),
        ("force_destroy", "maybe", "must be true or false"),
        ("auth", "basic", "must be one of key, iam, cognito"),
        ("currency", "euro", "must be an ISO 4217 code in capitals"),
        ("alarm_emails", '["nobody"]', "must be mail addresses"),
        ("suffix", "Prod_1", "must be small letters, digits and single hyphens"),
        ("suffix", "a" * 21, "must be text of a length of at most 20"),
        ("batch_size", "none", "must be a whole number"),
    ],
)
def test_a_fault_says_what_would_be_right(name: str, value: str, problem: str) -> None:
    assert faults(**{name: value}) == [f"{name}: {problem}, not {value!r}"]


def test_a_name_that_does_not_exist_is_a_fault() -> None:
    assert faults(alarmEmails="[]") == ['alarmEmails: there is no such setting; did you mean "alarm_emails"?']
    assert faults(colour="red") == ["colour: there is no such setting"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"maximum_concurrency": "101"}, "maximum_concurrency"),
        ({"reserved_concurrency": "50"}, "maximum_concurrency"),
        ({"auth": "cognito"}, "user_pool_arn"),
        ({"user_pool_arn": "arn:x"}, "user_pool_arn"),
        ({"sweep_delay": "30"}, "sweep_delay"),
        ({"batch_size": "100"}, "batch_window"),
        ({"high_water": "1000"}, "queue_depth_alarm"),
    ],
)
def test_settings_that_do_not_go_together_are_a_fault(given: dict[str, str], name: str) -> None:
    (found,) = faults(**given)
    assert found.startswith(f"{name}: ")


def test_all_faults_are_said_at_once() -> None:
    found = faults(stack="Bad Stack", shards="0", auth="basic", colour="red")
    assert [each.partition(":")[0] for each in found] == ["auth", "colour", "shards", "suffix"]


def test_every_setting_is_on_the_page_with_its_default() -> None:
    section = text("docs/aws.md").partition("## Settings")[2].partition("\n## ")[0]
    shown = {row[0].strip("`"): row[1].strip("`") for row in cells(section) if row[0].startswith("`")}
    fields = {field.name: _shown(field.default) for field in dataclasses.fields(Settings)}
    assert shown == fields | {"suffix": "the stack's name"}


def _shown(default: object) -> str:
    if default is dataclasses.MISSING:
        return "[]"
    plain = {None: "none", True: "true", False: "false"}
    return plain[default] if default is None or isinstance(default, bool) else str(default)


def test_the_sample_names_settings_that_exist() -> None:
    named = set(re.findall(r"shroff:(\w+)", text("infra/Pulumi.sample.yaml")))
    assert named
    assert named <= {field.name for field in dataclasses.fields(Settings)}


def test_the_configuration_is_there_before_pulumi_writes_its_salt_into_it() -> None:
    commands = text("docs/aws.md").partition("## Deploying")[2].partition("```sh\n")[2].partition("```")[0]
    assert commands.index("cp Pulumi.sample.yaml") < commands.index("pulumi stack init")
    assert len(re.findall(r"^|&&", commands.strip(), re.MULTILINE)) <= 5


def test_every_alarm_is_on_the_page_with_what_to_do() -> None:
    place = Place(suffix="a", account="1", region="r", partition="aws", domain="d")
    section = text("docs/aws.md").partition("## When an alarm rings")[2].partition("\n## ")[0]
    named = [name for row in cells(section) if row[1] for name in re.findall(r"`([a-z0-9-]+)`", row[0])]
    assert sorted(named) == sorted(rule.name for rule in rules(place, Settings(suffix="a")))
