"""From what was counted to the report's content, and its files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec

from shroff.core.errors import Rejected
from shroff.core.policy import Policy
from shroff.core.policy_document import read_policy
from shroff.core.report import Tally
from shroff.flows.audit import Audit
from shroff.flows.moment import moment_of
from shroff.flows.report.document import Day, document
from shroff.flows.report.look import Look
from shroff.flows.report.page import page
from shroff.ports import Alerts, DeadLetter, DeadLetters, Policies

DAY = 86_400_000
PolicyOf = Callable[[str], Policy | None]
_encoder = msgspec.json.Encoder(decimal_format="number")


def midnight(day: date) -> int:
    """The first millisecond of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def reader(policies: Policies) -> PolicyOf:
    """Policies by their version, each read once; None for one that is not there or cannot be read."""

    @cache
    def policy_of(version: str) -> Policy | None:
        publication = policies.get(version)
        if publication is None:
            return None
        try:
            return read_policy(publication.document)
        except Rejected:
            # Published under an older Shroff that was less strict: its days can be reported all the same.
            return None

    return policy_of


def content(  # noqa: PLR0913  # a port for each thing it asks
    start: int,
    today: Tally,
    before: Tally,
    *,
    base: str | None,
    policy_of: PolicyOf,
    alerts: Alerts,
    dead_letters: DeadLetters,
    audit: Audit,
    looked: Look,
) -> dict[str, Any]:
    """The content of the report of the day that begins at `start`, beside the day before."""
    dead = [(_day_of(letter), letter) for letter in dead_letters.all()]

    def gathered(start: int, tally: Tally) -> Day:
        return Day(
            start=start,
            tally=tally,
            alerts=alerts.between(start, start + DAY),
            dead_letters=[letter for at, letter in dead if at == start],
        )

    names = {version: policy.name if (policy := policy_of(version)) else None for version in today.policies}
    days = gathered(start, today), gathered(start - DAY, before)
    return document(*days, base=base, names=names, audit=audit, looked=looked)


def as_json(found: dict[str, Any]) -> bytes:
    """The content as a file for programs."""
    return msgspec.json.format(_encoder.encode(found), indent=2) + b"\n"


def as_page(found: dict[str, Any]) -> bytes:
    """The content as a file for people."""
    return page(found).encode("utf-8", "replace")


def _day_of(letter: DeadLetter) -> int:
    """The start of the day that a dead letter belongs to."""
    at = moment_of(letter.message)
    return at - at % DAY
