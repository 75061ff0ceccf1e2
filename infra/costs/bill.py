"""The bill of a month: what a load asks of each service, at its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.costs.counted import Counted, Part
from infra.costs.layout import API_HANDLER, BATCH_PROCESSOR, QUEUE_CONSUMER, REPORT_GENERATOR, Layout
from infra.costs.prices import Prices

MONTH = 730 * 3600
"""Seconds of a month, as AWS counts them."""
DAY, WINDOW = 86_400, 300
GB = 1e9
_SMALLEST_IN_GLACIER = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Transactions that keep coming."""

    rate: float
    """A second."""
    kind: str
    """`plain` or `full`: what they name."""
    history: float = 30
    """Days of history that are kept."""
    together: int = 1
    """Transactions of a request to the API."""

    @property
    def month(self) -> float:
        """Transactions of a month."""
        return self.rate * MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What one month asks of AWS."""

    batch: int
    """Transactions of a run of the consumer."""
    runs: Mapping[str, float]
    """Function → runs."""
    seconds: Mapping[str, float]
    """Function → how long one run is."""
    work: Mapping[str, Part]
    """Function → all its runs together."""
    looks: tuple[float, float]
    """Looks at the queue's length, and for a newer policy."""
    stored: Mapping[str, float]
    """GB: `table`, `index`, `chunks`, `old chunks`."""

    def at_once(self, function: str) -> float:
        """Runs at once."""
        return self.runs[function] / MONTH * self.seconds[function]

    @property
    def written(self) -> float:
        """Write units."""
        return sum(each.written() for each in self.work.values())

    @property
    def read(self) -> float:
        """Read units."""
        return sum(each.read() for each in self.work.values()) + self.looks[1]


class Biller:
    """Makes bills from the program, the counts and the prices."""

    def __init__(self, layout: Layout, counted: Counted, prices: Prices) -> None:
        self.layout, self.counted, self.prices = layout, counted, prices
        self.batch = min(10, layout.batch)
        """Messages of a run of the consumer where there are enough; it was counted for ten."""

    def transaction(self, kind: str) -> Part:
        """What one transaction asks of the API's and the consumer's function."""
        way = self.counted.ways[kind, self.batch]
        return way.api.plus(way.consumer.times(1 / self.batch))

    def month(self, load: Load) -> Month:
        """What a load asks in a month."""
        # Slow traffic leaves each message alone; fast traffic fills the batches.
        batch = 1 if load.rate < self.batch else self.batch
        way = self.counted.ways[load.kind, batch]
        api = way.api if load.together == 1 else self.counted.posted[load.kind]
        sweep = self.counted.sweep[0].plus(self.counted.sweep[1].times(load.rate * WINDOW))
        report = self.counted.report[0].plus(self.counted.report[1].times(load.rate * DAY))
        a_run = {API_HANDLER: api, QUEUE_CONSUMER: way.consumer,
                 BATCH_PROCESSOR: sweep, REPORT_GENERATOR: report}  # fmt: skip
        runs = {API_HANDLER: load.month / load.together, QUEUE_CONSUMER: load.month / batch,
                BATCH_PROCESSOR: MONTH / WINDOW, REPORT_GENERATOR: MONTH / DAY}  # fmt: skip
        seconds = {
            name: (each.milliseconds + self._waits(each, many=name == BATCH_PROCESSOR or load.together > 1))
            / 1_000
            for name, each in a_run.items()
        }
        return Month(
            batch=batch,
            runs=runs,
            seconds=seconds,
            work={name: each.times(runs[name]) for name, each in a_run.items()},
            looks=(
                _looks(runs[API_HANDLER], seconds[API_HANDLER], 10),
                _looks(runs[QUEUE_CONSUMER], seconds[QUEUE_CONSUMER], 2),
            ),
            stored=self._stored(load),
        )

    def bill(self, load: Load) -> dict[str, float]:
        """Service → dollars of a month."""
        month, of = self.month(load), self.prices.of
        work = list(month.work.values())
        puts = sum(each.called("s3 PutObject", "s3 ListObjectsV2") for each in work)
        gets = sum(each.called("s3 GetObject") for each in work)
        pairs = [(self.layout.memory[name], month.seconds[name] * month.runs[name]) for name in month.runs]
        return {
            "API Gateway": of("api request", month.runs[API_HANDLER]),
            "Lambda": of("lambda request", sum(month.runs.values()))
            + of("lambda GB-second", sum(memory * seconds for memory, seconds in pairs)),
            "SQS": of("sqs request", self._sqs(month)),
            "DynamoDB writes": of("dynamodb write unit", month.written),
            "DynamoDB reads": of("dynamodb read unit", month.read),
            "DynamoDB storage, recovery": self._kept(month.stored["table"], month.stored["index"]),
            "S3": of("s3 put or list", puts) + of("s3 get", gets)
            + of("s3 GB-month", month.stored["chunks"])
            + of(f"s3 {self.layout.glacier[1]} GB-month", month.stored["old chunks"]),
            "CloudWatch logs": self._logs(month),
            "CloudWatch metrics, alarms, dashboard": self._watching(),
            "X-Ray": of("trace recorded", self.traces(month, 0.05)),
            "KMS": of("kms key", self.layout.keys) + of("kms request", self._kms()),
            "SNS, EventBridge": of("sns publish", sum(each.called("sns Publish") for each in work))
            + of("schedule run", month.runs[BATCH_PROCESSOR] + month.runs[REPORT_GENERATOR]),
        }  # fmt: skip

    def _kept(self, table: float, index: float = 0.0) -> float:
        """Storage of tables and indexes; recovery is billed by the tables alone."""
        recovery = self.prices.of("dynamodb recovery GB-month", table) if self.layout.recovery else 0.0
        return self.prices.of("dynamodb GB-month", table + index) + recovery

    def by_table(self, month: Month) -> dict[str, float]:
        """Table → write units of a month, its indexes' too."""
        units = [pair for part in month.work.values() for pair in part.units.items()]
        named = ("write accepted", "write decided")
        mine = sum(each for name, each in units if name.startswith(named))
        return {
            name: mine if name == "transactions" else month.written - mine for name in self.layout.indexes
        }

    def million(self, load: Load) -> float:
        """Dollars per million transactions."""
        return sum(self.bill(load).values()) / load.month * 1e6

    def naive(self, load: Load) -> dict[str, float]:
        """The bill of one table without an index, of which everything is scanned every five minutes."""
        month, of = self.month(load), self.prices.of
        units = ((name, each) for part in month.work.values() for name, each in part.units.items())
        indexed = sum(each for name, each in units if ">" in name)
        scans = self.scanned(load) * GB / 4096 / 2 * month.runs[BATCH_PROCESSOR]
        return self.bill(load) | {
            "DynamoDB writes": of("dynamodb write unit", month.written - indexed),
            "DynamoDB reads": of(
                "dynamodb read unit", month.read - month.work[BATCH_PROCESSOR].read() + scans
            ),
            "DynamoDB storage, recovery": self._kept(month.stored["table"]),
        }

    def scanned(self, load: Load) -> float:
        """GB that each scan reads: what was accepted and decided in all of the history."""
        stored = self.counted.ways[load.kind, self.month(load).batch].stored
        return load.rate * DAY * load.history * (stored["accepted"] + stored["decided"]) / GB

    def _waits(self, part: Part, *, many: bool) -> float:
        """Milliseconds of waiting for answers; where a run asks much at once, all its threads do."""
        waits = self.prices.waits
        at_once = self.prices.assumed["threads"] if many else 1
        longer = part.called("dynamodb TransactWriteItems") * (waits["transaction"] - waits["dynamodb"])
        each = sum(calls * waits[name.partition(" ")[0]] for name, calls in part.calls.items())
        return (each + longer) / at_once

    def _sqs(self, month: Month) -> float:
        """Sending, receiving and deleting by batches, looks at the length, and polls that find nothing."""
        sent = month.work[API_HANDLER].called("sqs SendMessageBatch")
        idle = self.prices.assumed["pollers"] * MONTH / 20
        return sent + 2 * month.runs[QUEUE_CONSUMER] + month.looks[0] + idle

    def _stored(self, load: Load) -> dict[str, float]:
        batch = 1 if load.rate < self.batch else self.batch
        way, extra = self.counted.ways[load.kind, batch], self.prices.assumed["item_overhead"]
        kept, entities = load.rate * DAY * load.history, way.entities * load.rate * DAY
        table = kept * (way.stored["accepted"] + way.stored["decided"] + 2 * extra)
        index = kept * (way.stored["accepted > by-accepted"] + way.stored["decided > by-time"] + 2 * extra)
        days, _ = self.layout.glacier
        a_window = way.stored["chunks"] * load.rate * WINDOW
        old = max(0.0, load.history - days) if a_window >= _SMALLEST_IN_GLACIER else 0.0
        return {
            "table": (table + entities * (way.stored["entity"] + extra)) / GB,
            "index": index / GB,
            "chunks": way.stored["chunks"] * load.rate * DAY * (load.history - old) / GB,
            "old chunks": way.stored["chunks"] * load.rate * DAY * old / GB,
        }

    def _logs(self, month: Month) -> float:
        """Written and kept."""
        of, access = self.prices.of, self._access_gigabytes(month)
        both = self.log_gigabytes(month)
        kept = both * self.layout.log_days / (MONTH / DAY)
        return of("lambda log GB", both - access) + of("access log GB", access) + of("log GB-month", kept)

    def log_gigabytes(self, month: Month) -> float:
        """GB of the functions' lines, of Lambda's own about each run, and of the access log."""
        assumed = self.prices.assumed
        overhead = assumed["log_event_overhead"]
        own = sum(each.log_bytes + each.log_lines * overhead for each in month.work.values())
        platform = sum(month.runs.values()) * assumed["platform_log_bytes"]
        return (own + platform) / GB + self._access_gigabytes(month)

    def _access_gigabytes(self, month: Month) -> float:
        line = self.layout.access_line + self.prices.assumed["log_event_overhead"]
        return month.runs[API_HANDLER] * line / GB

    def _watching(self) -> float:
        of, layout = self.prices.of, self.layout
        metrics = self.counted.metrics + layout.methods * self.prices.assumed["api_metrics_a_method"]
        return (
            of("metric", metrics)
            + of("metric of an alarm", layout.alarm_metrics)
            + of("dashboard", layout.dashboards)
        )

    def traces(self, month: Month, share: float) -> float:
        """The first request of each second and a share of the others, at the API and at the consumer."""
        if not self.layout.tracing:
            return 0.0
        rates = (month.runs[name] / MONTH for name in (API_HANDLER, QUEUE_CONSUMER))
        return sum((min(1.0, rate) + share * max(0.0, rate - 1.0)) * MONTH for rate in rates)

    def _kms(self) -> float:
        return (
            len(self.layout.memory)
            * len(self.layout.indexes)
            * MONTH
            / self.prices.assumed["kms_window_seconds"]
        )


def _looks(runs: float, seconds: float, every: float) -> float:
    """Looks of a month, by each process that is running, but not more than there are runs."""
    processes = max(1.0, runs / MONTH * seconds)
    return min(runs, processes * MONTH / every)
