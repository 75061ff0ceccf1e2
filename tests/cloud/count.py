"""Counts what transactions ask of AWS: `python -m tests.cloud.count` writes infra/costs/counted.toml.

The functions' own code runs in this process against moto, over simulated days: entities remember a month
before the first transaction is counted, so that what is written of them has its full size.
"""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from moto import mock_aws
from msgspec.structs import replace

from shroff.adapters.aws.chunk_lines import packed
from shroff.adapters.aws.chunks import MOST
from shroff.adapters.aws.days import day_of
from shroff.adapters.aws.timeline import partition_of
from shroff.adapters.aws.transactions import record_of
from shroff.ports import Record
from shroff.runtimes.lambdas.invocation import begin_logs
from shroff.simulator import simulate
from tests.adapters import moto_tables
from tests.adapters.shelves import client
from tests.cloud.listened import (
    DAYS,
    MEMBERS,
    SEED,
    WINDOW,
    Stack,
    Traffic,
    traffic,
)
from tests.cloud.units import Taken, Tally, kind_of, listening, size_of

COUNTED = Path(__file__).parents[2] / "infra" / "costs" / "counted.toml"

DAY = 86_400_000
SWEPT, REPORTED = (300, 6_000), (0, 60_000)
"""Transactions that a sweep and a report look back on: what each of them takes is the slope."""
MOMENT = 40
"""Transactions in the window that is swept with more and more history behind it."""
PER_DAY = 1_000
"""Transactions of a day of history."""
HISTORIES = (300, 3_000, 30_000)


@dataclass
class Counts:
    """What the way from the API to the decision took, for one kind of traffic and one size of batches."""

    transactions: int
    a_day: float
    """Transactions a day in the month before."""
    remembered: int = 0
    """Entities after it."""
    api: Taken = field(default_factory=Taken)
    consumer: Taken = field(default_factory=Taken)
    stored: dict[str, float] = field(default_factory=dict)


def live(stack: Stack, found: Traffic, batch: int) -> Counts:
    """Send and decide as it happens; transactions that share a batch occur at once."""
    counts = Counts(len(found.counted), len(found.before) / (DAYS + 0.5))
    stack.remember(found.before, found.counted)
    counts.remembered = stack.remembered
    for start in range(0, len(found.counted), batch):
        together = found.counted[start : start + batch]
        moment = int(together[-1]["timestamp"] * 1_000)
        for number, each in enumerate(together):
            stack.clock.now = moment + 10 * number + 300
            stack.post(counts.api, [each | {"timestamp": (moment + 10 * number) / 1_000}])
        stack.clock.now += 500
        stack.decide(counts.consumer)
    counts.stored = stored(stack)
    return counts


def stored(stack: Stack) -> dict[str, float]:
    """Bytes by kind of item, and of the chunks of sealed windows."""
    found: dict[str, float] = {}
    for name in (stack.names.transactions, stack.names.state):
        table = stack.tally.table(name)
        for page in client("dynamodb").get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                kind = kind_of(item)
                found[kind] = found.get(kind, 0) + size_of(item)
                found[f"{kind} items"] = found.get(f"{kind} items", 0) + 1
                for index in table.indexes:
                    if entry := index.entry(item):
                        label = f"{kind} > {index.name}"
                        found[label] = found.get(label, 0) + size_of(entry)
    chunks = packed(stack.store.ledger.between(0, 2**62), MOST)
    found["chunks"] = sum(len(body) for _, body in chunks)
    return found


def metrics(log: str) -> int:
    """Different metrics in the lines of embedded metric format."""
    lines = [json.loads(line) for line in log.splitlines() if '"_aws"' in line]
    return len({
        (each["Name"], *(f"{name}={line[name]}" for name in about["Dimensions"][0] if name != "suffix"))
        for line in lines for about in line["_aws"]["CloudWatchMetrics"] for each in about["Metrics"]
    })  # fmt: skip


def posted_together(stack: Stack, found: Traffic, batch: int = 100) -> Taken:
    """The API's part where a client posts so many at once."""
    taken = Taken()
    stack.clock.now = int(found.counted[0]["timestamp"] * 1_000)
    for start in range(0, len(found.counted), batch):
        together = found.counted[start : start + batch]
        stack.clock.now = int(together[-1]["timestamp"] * 1_000) + 300
        stack.post(taken, together)
    return taken


def looking_back(tally: Tally, log: io.StringIO, *, window: int, history: int = 0) -> Taken:
    """One sweep over a window of so many transactions, with so many others in the days before."""
    stack, swept = Stack(tally, log), Taken()
    template = decided_once(stack)
    noon = template.moment // DAY * DAY + DAY // 2
    stack.begin(noon + 61_000 - WINDOW)
    now = [(f"now-{each}", noon + each * WINDOW // window) for each in range(window)]
    then = [(f"then-{each}", noon - DAY * (1 + each // PER_DAY)) for each in range(history)]
    template.write(stack, [*now, *then])
    stack.clock.now = noon + WINDOW + 61_000
    with stack.of(swept, "sweep"):
        assert stack.look_back.run(lambda: True)
    return swept


def reporting(tally: Tally, log: io.StringIO, count: int) -> Taken:
    """The report of a day of which all is sealed: so many transactions in one window, none in the others."""
    stack, reported = Stack(tally, log), Taken()
    template = decided_once(stack)
    noon = template.moment // DAY * DAY + DAY // 2
    stack.begin(noon + DAY)
    for start in range(noon - 3 * DAY // 2, noon + DAY // 2, WINDOW):
        stack.store.chunks.write(start, [template.records(noon, count)] if start == noon else [])
    with stack.of(reported, "report"):
        day = datetime.fromtimestamp(noon / 1_000, UTC).date()
        assert stack.reporter.report(day, lambda: True)
    return reported


@dataclass
class Template:
    """The items of one transaction, to be written again under other names and at other times."""

    items: list[dict[str, Any]]
    moment: int

    def write(self, stack: Stack, named: Sequence[tuple[str, int]]) -> None:
        """Straight into the table, with what has to be noted of their days."""
        shards, days = stack.store.cloud.forms.shards, {day_of(moment) for _, moment in named}
        requests = [
            {"PutRequest": {"Item": moved(item, name, moment, shards)}}
            for name, moment in named for item in self.items
        ]  # fmt: skip
        stack.store.cloud.transactions.write_many(requests)
        stack.store.cloud.days.note("accepted", days)
        stack.store.cloud.days.note("occurred", days)

    def records(self, start: int, count: int) -> list[Record]:
        """The same as what a chunk holds, within one window."""
        (record,) = (record_of(each) for each in self.items if "outcome" in each)
        return [
            replace(
                record,
                transaction=replace(
                    record.transaction,
                    transaction_id=f"{each:08d}",
                    occurred_at=start + each * WINDOW // count,
                ),
                decision=replace(record.decision, transaction_id=f"{each:08d}"),
            )
            for each in range(count)
        ]


def decided_once(stack: Stack) -> Template:
    """One transaction, accepted and decided, and taken out again."""
    dynamodb, name = client("dynamodb"), stack.names.transactions
    (body,) = islice(simulate(days=1, customers=10, seed=SEED), 1)
    moment = stack.clock.now = int(body.occurred_at)
    stack.post(Taken(), [dict(body.body)])
    stack.decide(Taken())
    items = dynamodb.scan(TableName=name)["Items"]
    for each in items:
        dynamodb.delete_item(TableName=name, Key={key: each[key] for key in ("transaction_id", "timestamp")})
    return Template(items, moment)


def moved(item: dict[str, Any], name: str, moment: int, shards: int) -> dict[str, Any]:
    """The item of another transaction at another time."""
    place, at = {"S": partition_of(moment, name, shards)}, {"N": str(moment)}
    other = item | {"transaction_id": {"S": name}, "occurred_at": at, "received_at": at}
    if "accepted_in" in item:
        return other | {"accepted_in": place}
    return other | {"timestamp": at, "occurred_in": place}


def counted(count: int, histories: Sequence[int]) -> dict[str, Any]:
    """Everything that infra/costs reads."""
    moto_tables.mend()
    found: dict[str, Any] = {"machine": _machine(), "traffic": {}, "history": {}}
    with mock_aws(), redirect_stderr(io.StringIO()) as log, listening(client("dynamodb")) as tally:
        begin_logs("INFO")
        for kind in MEMBERS:
            sample = traffic(kind, count)
            found["traffic"][kind] = {
                f"by_{batch}": live(Stack(tally, log), sample, batch) for batch in (1, 10)
            }
            found["traffic"][kind]["posted_100"] = posted_together(Stack(tally, log), sample)
        found["sweep"] = {str(each): looking_back(tally, log, window=each) for each in SWEPT}
        found["report"] = {str(each): reporting(tally, log, each) for each in REPORTED}
        for history in histories:
            found["history"][str(history)] = looking_back(tally, log, window=MOMENT, history=history)
        found["history_window"] = MOMENT
        found["metrics"] = metrics(log.getvalue())
    return found


def _machine() -> dict[str, str]:
    return {"processor": platform.processor() or platform.machine(), "python": platform.python_version()}


def toml(tree: Any, path: str = "") -> Iterator[str]:
    """Nested mappings as TOML."""
    plain = {name: each for name, each in tree.items() if not isinstance(each, dict)}
    if path and plain:
        yield f"\n[{path}]"
    for name, each in plain.items():
        value = json.dumps(round(each, 1) if isinstance(each, float) else each)
        yield f"{name if name.isidentifier() else json.dumps(name)} = {value}"
    for name, each in tree.items():
        if isinstance(each, dict):
            yield from toml(each, f"{path}.{name}".lstrip("."))


def main(count: int = 300) -> None:
    """Count, and write down what was counted."""
    tree = counted(count, HISTORIES)
    plain = json.loads(json.dumps(tree, default=vars))
    head = "# What transactions ask of AWS, counted by tests/cloud/count.py: do not edit, count again.\n"
    COUNTED.write_text(head + "\n".join(toml(plain)) + "\n")


if __name__ == "__main__":
    main()
