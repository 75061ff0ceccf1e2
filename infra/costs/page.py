"""docs/cost.md: the template's sentences, with tables and figures that are all computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from infra.costs.bill import DAY, MONTH, WINDOW, Biller, Load
from infra.costs.layout import API_HANDLER, BATCH_PROCESSOR, QUEUE_CONSUMER
from infra.costs.tables import RATES, dollars, per_million, tables

TEMPLATE = Path(__file__).with_name("template.md")

STEADY = Load(rate=100, kind="full")
"""What the advice is computed for."""
NOTHING = Load(rate=1e-9, kind="plain", history=1)


def page(biller: Biller) -> str:
    """The whole page."""
    figures = (tables, _about, _entities, _ways, _watching, _room, _assumed)
    told = {name: text for some in figures for name, text in some(biller).items()}
    return TEMPLATE.read_text(encoding="utf-8").format(**told)


def _about(biller: Biller) -> dict[str, str]:
    prices, counted = biller.prices, biller.counted
    idle = {name: each for name, each in biller.bill(NOTHING).items() if each >= 0.005}
    largest = sorted(idle, key=lambda name: -idle[name])
    slow = Load(rate=1, kind="full")
    share = sum(idle.values()) / sum(biller.bill(slow).values())
    return {
        "region": prices.region, "as_of": prices.as_of, "found": prices.found,
        "batch": str(biller.batch), "hours": str(MONTH // 3600), "machine": counted.machine,
        "window": str(counted.history_window),
        "idle": dollars(sum(idle.values())),
        "idle_parts": ", ".join(f"{name} ${dollars(idle[name])}" for name in largest),
        "idle_share": f"{share:.0%}",
    }  # fmt: skip


def _entities(biller: Biller) -> dict[str, str]:
    part, price = biller.transaction("full"), biller.prices.of("dynamodb write unit", 1e6)
    share = part.written("entity") / part.written()
    return {
        "all_writes": f"{part.written():.1f}",
        "entity_writes": f"{part.written('entity'):.1f}",
        "entity_share": f"{share:.0%}",
        "entity_dollars": f"{part.written('entity') * price:.2f}",
        "million_dollars": f"{biller.million(STEADY):.2f}",
        "plain_dollars": f"{biller.million(replace(STEADY, kind='plain')):.2f}",
    }


def _ways(biller: Biller) -> dict[str, str]:
    """What other capacity, requests, batches and memory would change."""
    month, prices, bill = biller.month(STEADY), biller.prices, biller.bill(STEADY)
    share = prices.assumed["steady_share"]
    provisioned = prices.of("dynamodb provisioned write hour", month.written / share / 3600)
    provisioned += prices.of("dynamodb provisioned read hour", month.read / share / 3600)
    ones, tens = (biller.counted.ways["full", batch].consumer for batch in (1, biller.batch))
    waiting = 1 - sum(each.milliseconds for each in month.work.values()) / 1_000 / sum(
        month.seconds[name] * runs for name, runs in month.runs.items()
    )
    return {
        "on_demand": dollars(bill["DynamoDB writes"] + bill["DynamoDB reads"]),
        "provisioned": dollars(provisioned),
        "steady_share": f"{share:.0%}",
        "alone": f"{_asking(biller, STEADY):.2f}",
        "together": f"{_asking(biller, replace(STEADY, together=100)):.2f}",
        "tens_ms": f"{tens.milliseconds:.0f}",
        "ones_ms": f"{biller.batch * ones.milliseconds:.0f}",
        "tens_calls": f"{_requests(tens.calls):.0f}",
        "ones_calls": f"{biller.batch * _requests(ones.calls):.0f}",
        "tens_entity": f"{tens.written('entity') / biller.batch:.1f}",
        "ones_entity": f"{ones.written('entity'):.1f}",
        "lambda_dollars": f"{per_million(STEADY, bill)['Lambda']:.2f}",
        "memory": f"{biller.layout.memory[QUEUE_CONSUMER]:.0f}",
        "waiting_share": f"{waiting:.0%}",
        "lambda_less": f"{_with_a_third(biller, waiting):.2f}",
    }


def _asking(biller: Biller, load: Load) -> float:
    bill = per_million(load, biller.bill(load))
    return sum(bill[each] for each in ("API Gateway", "Lambda", "SQS", "CloudWatch logs"))


def _requests(calls: Mapping[str, float]) -> float:
    return sum(each for name, each in calls.items() if name.startswith("dynamodb"))


def _with_a_third(biller: Biller, waiting: float) -> float:
    """Lambda a million, with a third of the memory: the processor's part is as dear, waiting is not."""
    month, prices = biller.month(STEADY), biller.prices
    whole = per_million(STEADY, biller.bill(STEADY))["Lambda"]
    requests = prices.of("lambda request", sum(month.runs.values())) / STEADY.month * 1e6
    return requests + (whole - requests) * (1 - waiting * 2 / 3)


def _watching(biller: Biller) -> dict[str, str]:
    layout, of = biller.layout, biller.prices.of
    bill = per_million(STEADY, biller.bill(STEADY))
    month, way = biller.month(STEADY), biller.counted.ways["full", biller.batch]
    kept = of("log GB-month", biller.log_gigabytes(month) * layout.log_days / (MONTH / DAY))
    year, thirty = (
        biller.bill(replace(STEADY, history=days))["DynamoDB storage, recovery"] for days in (365, 30)
    )
    return {
        "logs": f"{bill['CloudWatch logs']:.2f}",
        "log_bytes": f"{way.api.log_bytes + way.consumer.log_bytes / way.batch:.0f}",
        "log_days": f"{layout.log_days:.0f}",
        "log_kept": f"{kept / STEADY.month * 1e6:.2f}",
        "traces": f"{bill['X-Ray']:.2f}",
        "traces_less": f"{of('trace recorded', biller.traces(month, 0.01)) / STEADY.month * 1e6:.2f}",
        "kept_year": dollars(year), "kept_month": dollars(thirty),
    }  # fmt: skip


def _room(biller: Biller) -> dict[str, str]:
    layout, month = biller.layout, biller.month(Load(rate=RATES[-1], kind="full"))
    needed = max(month.at_once(name) for name in (API_HANDLER, QUEUE_CONSUMER))
    sweep = month.seconds[BATCH_PROCESSOR]
    written, quota = max(biller.by_table(month).values()) / MONTH, biller.prices.assumed["table_quota"]
    told = {
        f"`reserved_concurrency` and `maximum_concurrency` above {needed:,.0f}, with room for bursts, and an "
        "account whose limit holds them": needed > layout.reserved,
        f"a quota of {written:,.0f} write units a second for a table, where an account begins with "
        f"{quota:,.0f}": written > quota,
        "more than one stack: a sweep that takes longer than the time until the next falls behind "
        f"above about {RATES[-1] * WINDOW / sweep:,.0f}/s (deciding does not)": sweep > WINDOW,
    }
    wanted = [f"- {each}" for each, holds in told.items() if holds]
    wants = "\n".join([f"{RATES[-1]:,}/s with all members wants\n", *wanted])
    return {
        "reserved": f"{layout.reserved:.0f}",
        "window_seconds": str(WINDOW),
        "room_verdict": wants if wanted else "There is room at every one of these rates.",
    }


def _assumed(biller: Biller) -> dict[str, str]:
    assumed = {name: f"{each:g}" for name, each in biller.prices.assumed.items()}
    waits = {f"wait_{name}": f"{each:g}" for name, each in biller.prices.waits.items()}
    return waits | {
        "entities": f"{biller.counted.ways['full', 1].entities:.1f}",
        "platform_log_bytes": assumed["platform_log_bytes"],
        "pollers": assumed["pollers"],
        "kms_window_seconds": assumed["kms_window_seconds"],
        "api_metrics": assumed["api_metrics_a_method"],
        "methods": str(biller.layout.methods),
    }
