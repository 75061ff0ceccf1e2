"""What a stack is told: Pulumi configuration, typed, with a default and a check for each."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec

from infra.components.shapes import CONSUMER_TIMEOUT
from shroff.core.money import DECIMALS

PROJECT = "shroff"

Mail = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
Days = Annotated[int, msgspec.Meta(ge=1, le=3653)]
# What CloudWatch Logs allows, in days.
Kept = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


class SettingsError(Exception):
    """Configuration that no stack can be made from, with every fault found in it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["The configuration of this stack is wrong:", *faults]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of a stack; durations are in seconds unless their name says otherwise."""

    suffix: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=20)]
    """Ends every name, so that several stacks live in one account; the stack's name unless given."""

    currency: str = "USD"
    """The currency of a transaction that names none."""
    shards: Annotated[int, msgspec.Meta(ge=1, le=100)] = 16
    """Partitions of each day in the indexes by time; may be raised, never lowered."""
    retention_days: Days | None = None
    """How long accepted and decided transactions stay in the table; unset, for ever."""
    high_water: Annotated[int, msgspec.Meta(ge=0)] = 100_000
    """Messages in the queue from which on the API answers 503."""
    sweep_delay: Annotated[int, msgspec.Meta(le=600)] = 60
    """How long after its end a window is sealed and swept, at the earliest."""
    max_receives: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 3
    """Attempts at a message before it is a dead letter."""
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = "INFO"
    """What the functions log."""

    auth: Literal["key", "iam", "cognito"] = "key"
    """How a caller of the API says who it is."""
    user_pool_arn: str | None = None
    """The Cognito user pool that `auth: cognito` asks."""
    throttle_rate: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """Requests a second that the API lets through."""
    throttle_burst: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    """Requests at once that the API lets through."""
    api_account_role: bool = True
    """Whether this stack sets the role that API Gateway logs with, of which an account has one per region."""

    memory: Annotated[int, msgspec.Meta(ge=512, le=10_240)] = 3_072
    """Megabytes of every function; the processor's share grows with them."""
    reserved_concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = 100
    """Runs at once of each function, taken from the account's limit; none leaves it out."""
    report_storage: Annotated[int, msgspec.Meta(ge=512, le=10_240)] = 2_048
    """Megabytes of the report generator's scratch disk."""
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10
    """The most messages that one run of the consumer is handed."""
    batch_window: Annotated[int, msgspec.Meta(ge=0, le=300)] = 0
    """How long the event source waits to fill a batch."""
    maximum_concurrency: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 100
    """Consumers that the event source runs at once."""

    queue_retention_days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 4
    """How long an undecided message stays in the queue."""
    dlq_retention_days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 14
    """How long a dead letter's message stays in the dead-letter queue."""
    deletion_protection: bool | None = None
    """Whether the tables refuse to be deleted; unset, only those of the stack `prod` do."""
    force_destroy: bool = False
    """Whether destroying the stack deletes a bucket that still holds reports."""
    glacier_days: Days = 90
    """When reports and chunks move to Glacier."""
    glacier_class: Literal["GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"] = "GLACIER_IR"
    """To which of its classes; only from the first can they be read at once."""
    noncurrent_days: Days = 30
    """How long a replaced version of a report or chunk is kept."""
    log_retention_days: Kept = 30
    """How long logs are kept, in days; one of the steps that CloudWatch Logs has."""

    report_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 1
    """The hour (UTC) at which the report of the day before is written."""
    alarm_emails: list[Mail] = dataclasses.field(default_factory=list)
    """Who is told of alarms; each has to confirm a mail from AWS first."""
    alert_emails: list[Mail] = dataclasses.field(default_factory=list)
    """Who is told of alerts; each has to confirm a mail from AWS first."""
    queue_age_alarm: Annotated[int, msgspec.Meta(ge=1)] = 300
    """Age of the oldest message from which on the alarm rings."""
    queue_depth_alarm: Annotated[int, msgspec.Meta(ge=1)] = 50_000
    """Waiting messages from which on the alarm rings."""
    latency_alarm_ms: Annotated[int, msgspec.Meta(ge=1)] = 3_000
    """Latency of the API (p99, milliseconds) from which on the alarm rings."""

    @property
    def protected(self) -> bool:
        """Whether the tables refuse to be deleted."""
        return self.suffix == "prod" if self.deletion_protection is None else self.deletion_protection


def read_settings(config: Mapping[str, str], stack: str) -> Settings:
    """The settings in Pulumi's configuration, keyed `shroff:NAME`. Raises SettingsError with all faults."""
    given = {key.partition(":")[2]: text for key, text in config.items() if key.startswith(f"{PROJECT}:")}
    given = {"suffix": stack} | given
    kinds = get_type_hints(Settings, include_extras=True)
    faults = [
        f"{name}: there is no such setting{_meant(name, kinds)}" for name in given.keys() - kinds.keys()
    ]
    values: dict[str, Any] = {}
    for name in given.keys() & kinds.keys():
        try:
            values[name] = msgspec.convert(_plain(given[name]), kinds[name], strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {_said(str(error), kinds[name])}, not {given[name]!r}")
    if "suffix" in values:
        faults.extend(_together(Settings(**values), wrong={fault.partition(":")[0] for fault in faults}))
    if faults:
        raise SettingsError(sorted(faults))
    return Settings(**values)


def _plain(text: str) -> Any:
    """Lists come as JSON, everything else as it was written; `none` unsets."""
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return None if text.strip().lower() in {"none", "null", ""} else text


def _said(problem: str, kind: object) -> str:
    """The sentence of the type's check, in words of people."""
    if "enum value" in problem:
        return f"must be one of {', '.join(str(each) for each in get_args(kind))}"
    if "regex" in problem:
        return "must be " + (
            "mail addresses" if "@" in problem else "small letters, digits and single hyphens"
        )
    text = re.sub(r", got \w+| - at .*$", "", problem.replace("`", "").replace("Expected ", "must be "))
    for word, plain in _WORDS.items():
        text = text.replace(word, plain)
    return text


_WORDS = {
    " | null": " or none",
    "int >=": "a whole number, at least",
    "int <=": "a whole number, at most",
    "be int": "be a whole number",
    "bool": "true or false",
    "array": "a list",
    "str of length <=": "text of a length of at most",
}


def _meant(name: str, known: Mapping[str, object]) -> str:
    plain = name.replace("_", "").replace("-", "").lower()
    alike = [each for each in known if each.replace("_", "") == plain]
    return f'; did you mean "{alike[0]}"?' if alike else ""


def _together(settings: Settings, wrong: set[str]) -> Iterator[str]:
    """What is wrong between settings that are sound by themselves."""
    rules = {
        "currency": (
            settings.currency not in DECIMALS,
            f"must be an ISO 4217 code in capitals, not {settings.currency!r}",
        ),
        "user_pool_arn": (
            (settings.auth == "cognito") != (settings.user_pool_arn is not None),
            "goes with auth: cognito, and auth: cognito with it",
        ),
        "maximum_concurrency": (
            settings.reserved_concurrency is not None
            and settings.maximum_concurrency > settings.reserved_concurrency,
            "must not be over reserved_concurrency: a throttled message counts as received, and dies of it",
        ),
        "sweep_delay": (
            settings.sweep_delay < 2 * CONSUMER_TIMEOUT,
            f"must be at least {2 * CONSUMER_TIMEOUT}, so that what consumers decide is in what is sealed",
        ),
        "batch_window": (
            settings.batch_size > 10 and settings.batch_window < 1,
            "must be at least 1 where batch_size is over 10, as AWS wants it",
        ),
        "queue_depth_alarm": (
            0 < settings.high_water < settings.queue_depth_alarm,
            "must not be over high_water: the alarm is to ring before the API refuses",
        ),
    }
    return (f"{name}: {sentence}" for name, (holds, sentence) in rules.items() if holds and name not in wrong)
