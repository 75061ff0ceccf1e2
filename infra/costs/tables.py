"""The page's tables, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from infra.costs.bill import MONTH, Biller, Load
from infra.costs.layout import API_HANDLER, BATCH_PROCESSOR, QUEUE_CONSUMER, REPORT_GENERATOR

RATES = (1, 100, 10_000)
KINDS = {"plain": "customer and merchant", "full": "all members"}
HISTORIES = (1, 30, 365)

Bill = Callable[[Load], dict[str, float]]


def tables(biller: Biller) -> dict[str, str]:
    """Name in the template → table."""
    loads = [Load(rate=rate, kind=kind) for kind in KINDS for rate in RATES]
    heads = [f"{KINDS[load.kind]}, {load.rate:,.0f}/s" for load in loads]
    return {
        "million": _by_service(heads, [per_million(load, biller.bill(load)) for load in loads]),
        "month": _by_service(heads, [biller.bill(load) for load in loads]),
        "naive_million": _naive(biller, per_million),
        "naive": _naive(biller, lambda _, bill: bill),
        "naive_history": _naive_history(biller),
        "history": _history(biller),
        "units": _units(biller),
        "times": _times(biller),
        "bytes": _bytes(biller),
        "room": _room(biller),
        "prices": _prices(biller),
    }


def per_million(load: Load, bill: dict[str, float]) -> dict[str, float]:
    """A month's bill, for a million of its transactions."""
    return {service: each / load.month * 1e6 for service, each in bill.items()}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Columns of words to the left, figures to the right."""
    sides = ["---" if number < words else "--:" for number in range(len(heads))]
    return "\n".join(f"| {' | '.join(each)} |" for each in (heads, sides, *rows))


def dollars(amount: float) -> str:
    """To cents, or to dollars where it is large."""
    return f"{amount:,.0f}" if amount >= 1_000 else f"{amount:,.2f}"


def _by_service(heads: Sequence[str], bills: Sequence[dict[str, float]]) -> str:
    rows = [[service, *(dollars(each[service]) for each in bills)] for service in bills[0]]
    return table(
        ["", *heads], [*rows, ["**all**", *(f"**{dollars(sum(each.values()))}**" for each in bills)]]
    )


def _naive(biller: Biller, shown: Callable[[Load, dict[str, float]], dict[str, float]]) -> str:
    loads = [Load(rate=rate, kind="full") for rate in RATES]
    heads = [f"{load.rate:,.0f}/s{how}" for load in loads for how in ("", ", scanning")]
    bills: tuple[Bill, ...] = (biller.bill, biller.naive)
    return _by_service(heads, [shown(load, bill(load)) for load in loads for bill in bills])


def _naive_history(biller: Biller) -> str:
    loads = [Load(rate=rate, kind="full", history=days) for rate in RATES for days in HISTORIES]
    heads = [
        "transactions/s",
        "days of history",
        "Shroff",
        "of it reads",
        "scanning",
        "of it reads",
        "a scan reads",
    ]
    return table(heads, [_beside(biller, each) for each in loads], words=0)


def _beside(biller: Biller, load: Load) -> list[str]:
    both = (biller.bill(load), biller.naive(load))
    figures = [dollars(each) for bill in both for each in (sum(bill.values()), bill["DynamoDB reads"])]
    return [f"{load.rate:,.0f}", f"{load.history:.0f}", *figures, f"{biller.scanned(load):,.2f} GB"]


def _history(biller: Biller) -> str:
    first = min(biller.counted.history)
    rows = [
        [
            f"{records:,}",
            f"{records // first}",
            f"{each.read():,.1f}",
            f"{sum(each.calls.values()):,.0f}",
        ]
        for records, each in sorted(biller.counted.history.items())
    ]
    return table(["transactions before", "times the history", "read units", "requests"], rows, words=0)


def _units(biller: Biller) -> str:
    parts = [biller.transaction(kind) for kind in KINDS]
    names = sorted({name for part in parts for name, units in part.units.items() if units >= 0.05})
    rows = [[_named(name), *(f"{part.units.get(name, 0):.1f}" for part in parts)] for name in names]
    reads = ["**all reads**", *(f"**{part.read():.1f}**" for part in parts)]
    writes = ["**all writes**", *(f"**{part.written():.1f}**" for part in parts)]
    return table(["", *KINDS.values()], [*rows, reads, writes])


def _named(name: str) -> str:
    """`write decided > by-time` in words."""
    act, _, what = name.partition(" ")
    return f"{act}: {what.replace(' > ', ', its copy in ')}"


def _times(biller: Biller) -> str:
    asked = {
        "api-handler, a transaction": (API_HANDLER, Load(rate=100, kind="")),
        "api-handler, a hundred": (API_HANDLER, Load(rate=100, kind="", together=100)),
        "queue-consumer, 1 message": (QUEUE_CONSUMER, Load(rate=1, kind="")),
        f"queue-consumer, {biller.batch} messages": (QUEUE_CONSUMER, Load(rate=100, kind="")),
    }
    rows = [
        [name, *(_time(biller, replace(load, kind=kind), function) for kind in KINDS)]
        for name, (function, load) in asked.items()
    ]
    return table(["milliseconds, processor + waiting", *KINDS.values()], rows)


def _time(biller: Biller, load: Load, function: str) -> str:
    month = biller.month(load)
    processor = month.work[function].milliseconds / month.runs[function]
    return f"{processor:.1f} + {month.seconds[function] * 1_000 - processor:.0f}"


def _bytes(biller: Biller) -> str:
    stored = [biller.counted.ways[kind, biller.batch].stored for kind in KINDS]
    indexed = {"accepted": "accepted > by-accepted", "decided": "decided > by-time"}
    rows = [
        [name, *(f"{each[name]:,.0f} ({each[copy]:,.0f})" for each in stored)]
        for name, copy in indexed.items()
    ]
    rows += [["in a chunk, compressed", *(f"{each['chunks']:,.0f}" for each in stored)]]
    return table(
        ["", *KINDS.values()], [*rows, ["an entity", *(f"{each['entity']:,.0f}" for each in stored)]]
    )


def _room(biller: Biller) -> str:
    def rows() -> Iterator[list[str]]:
        for kind, named in KINDS.items():
            for rate in RATES:
                month = biller.month(Load(rate=rate, kind=kind))
                at_once = [f"{month.at_once(name):,.1f}" for name in (API_HANDLER, QUEUE_CONSUMER)]
                looking = f"{month.seconds[BATCH_PROCESSOR]:,.1f}", f"{month.seconds[REPORT_GENERATOR]:,.0f}"
                written = (f"{units / MONTH:,.0f}" for units in biller.by_table(month).values())
                yield [f"{named}, {rate:,}/s", *at_once, *looking, *written]

    heads = [f"`{name}`, write units/s" for name in biller.layout.indexes]
    return table(
        ["", "api-handler", "queue-consumer", "a sweep, seconds", "a report, seconds", *heads], rows()
    )


def _prices(biller: Biller) -> str:
    def rows() -> Iterator[list[str]]:
        for each in biller.prices.by_name.values():
            tiers = (f"${price:.10f}".rstrip("0").rstrip(".") + (f" up to {ends:,.0f}" if ends else "")
                     for ends, price in each.tiers)  # fmt: skip
            yield [each.name, ", then ".join(tiers), f"<{each.source}>", each.seen,
                   f"{each.per:,.0f}"]  # fmt: skip

    return table(["", "price", "source", "seen", "per"], rows(), words=4)
