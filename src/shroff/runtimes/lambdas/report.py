"""report-generator: the report of a day; a day that is too long for one run is gone on with by the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import structlog

from shroff.core.errors import Fault, Rejected
from shroff.runtimes.lambdas.invocation import Context, invocation
from shroff.runtimes.lambdas.reporting import Reporter
from shroff.runtimes.wiring.cloud import Deployed, open_deployed
from shroff.runtimes.wiring.cloud.report import reporter

log = structlog.get_logger()

_RESERVE = 60_000
"""Milliseconds before the end from which on nothing further begins."""

_NEEDS = ("transactions_table", "state_table", "bucket")


@cache
def _opened() -> tuple[Deployed, Reporter]:
    """Once per cold start, and again after one that failed."""
    deployed = open_deployed(*_NEEDS)
    return deployed, reporter(deployed)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Write the report of the day before the event's, or of `date`; where time runs out, be invoked again."""
    deployed, opened = _opened()
    with invocation(context, deployed.meter):
        day = day_of(event, deployed.clock())
        written = opened.report(day, lambda: context.get_remaining_time_in_millis() > _RESERVE)
        places = None if written is None else list(written.places)
        if written is None:
            log.info("continued", date=day.isoformat())
            deployed.invoke(context.invoked_function_arn, {"date": day.isoformat(), "continue": True})
        else:
            log.info("reported", date=day.isoformat(), files=places)
    return {"date": day.isoformat(), "files": places}


def day_of(event: dict[str, Any], now: int) -> date:
    """The UTC day that an event asks for: `date` by hand, the day before `time` by the schedule."""
    try:
        if "date" in event:
            return date.fromisoformat(event["date"])
        moment = datetime.fromisoformat(event["time"]) if "time" in event else None
    except (TypeError, ValueError) as error:
        raise Rejected([Fault("date", f"the event names no day: {error}")]) from None
    moment = moment or datetime.fromtimestamp(now // 1_000, UTC)
    return moment.astimezone(UTC).date() - timedelta(days=1)
