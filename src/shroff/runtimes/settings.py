"""What an installation is told: `settings.toml` in the data folder, then `SHROFF_*` in the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from shroff.core.errors import Fault, Rejected
from shroff.core.money import DECIMALS

FILE = "settings.toml"
_PREFIX = "SHROFF_"


AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts are posted, signed with the secret."""

    url: str
    secret: str = ""
    """Needed to serve; commands that tell nobody need it not."""
    timeout: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class Smtp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that carries alerts, and to whom."""

    host: str
    sender: str
    recipients: list[str]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 25
    starttls: bool = False
    user: str | None = None
    password: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; durations are in seconds."""

    currency: str = "USD"
    """The currency of a transaction that names none."""
    require_key: bool | None = None
    """Whether the gateway asks for an API key; unset, it does unless it listens on a loopback address."""
    high_water: Natural = 100_000
    """Transactions in flight from which on the gateway answers 503."""
    decision_timeout: Seconds = 5.0
    """How long `POST /decisions` waits before it answers 202."""
    batch: AtLeastOne = 1_000
    """The most messages that are decided and committed together."""
    retry_delays: tuple[Seconds, ...] = (1.0, 5.0)
    """The wait before each further attempt at a failed message; after the last one it is dead-lettered."""
    snapshot_every: AtLeastOne = 100_000
    """Decided transactions between two snapshots of the entities' state."""
    sweep_delay: Seconds = 5.0
    """How long after the end of its window a sweep runs, so that what is in flight is in it."""
    report_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 1
    """The hour (UTC) at which the report of the day before is written."""
    label_days: Annotated[int, msgspec.Meta(ge=0, le=400)] = 7
    """After how many days the labels of a day are taken to have come, for the report."""
    clock: Literal["wall", "events"] = "wall"
    """What sweeps and reports go by: the machine's clock, or the newest transaction (for replays)."""
    log_alerts: bool = True
    webhook: Webhook | None = None
    smtp: Smtp | None = None


def read_settings(data: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a data folder. Raises Rejected with what is wrong and where."""
    path = data / FILE
    members: dict[str, Any] = {}
    try:
        if path.exists():
            members = tomllib.loads(path.read_text(encoding="utf-8"))
        members = _with_environment(members, environment)
        settings = msgspec.convert(members, Settings, strict=False)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, OSError) as error:
        raise Rejected([Fault("settings", f"{path} (or {_PREFIX}* in the environment): {error}")]) from None
    if settings.currency not in DECIMALS:
        raise Rejected([Fault("currency", f'{path}: currency "{settings.currency}" is not an ISO 4217 code')])
    return settings


_SECRETS = {"WEBHOOK_SECRET": ("webhook", "secret"), "SMTP_PASSWORD": ("smtp", "password")}
"""Secrets that need stand in no file: name in the environment → table and key."""


def _with_environment(members: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The file's members with those scalars, and those secrets of its tables, that the environment gives."""
    found = dict(members)
    for name in Settings.__struct_fields__:
        value = environment.get(f"{_PREFIX}{name.upper()}")
        if value is not None and name not in {table for table, _ in _SECRETS.values()}:
            found[name] = value
    for name, (table, key) in _SECRETS.items():
        value = environment.get(f"{_PREFIX}{name}")
        if value is not None and isinstance(found.get(table), dict):
            found[table] = {**found[table], key: value}
    return found
