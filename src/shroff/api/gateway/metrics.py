"""What the gateway counts, and its text for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from shroff.api.gateway.gauges import Reading
from shroff.flows.figures import Figures

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Histogram:
    """Counts by bucket, for one writer: a tenth of the cost of a locked one, which each request would pay."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative counts by upper bound, and the sum of all values."""
        total, found = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found, self._sum


class Counts:
    """What this process has seen since it started; written on the event loop only."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds = defaultdict[str, Histogram](lambda: Histogram(_SECONDS))
        self._groups = Histogram(_SIZES)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests[route, status] += 1
        self._seconds[route].observe(seconds)

    def group(self, size: int) -> None:
        """Count one append."""
        self._groups.observe(size)

    def families(self) -> Iterator[Metric]:
        """All of it, as it is now."""
        requests = CounterMetricFamily(
            "shroff_requests", "Requests answered, by route and status", labels=["route", "status"]
        )
        for (route, status), count in sorted(self._requests.items()):
            requests.add_metric([route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "shroff_request_seconds", "Time to the answer; for an accepted transaction, until it was durable",
            labels=["route"],
        )  # fmt: skip
        for route, histogram in self._seconds.items():
            seconds.add_metric([route], *histogram.buckets())
        yield seconds
        groups = HistogramMetricFamily("shroff_append_group_size", "Transactions made durable by one append")
        groups.add_metric([], *self._groups.buckets())
        yield groups


class _Families:
    """A collector of what is given to it."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def exposition(counts: Counts, reading: Reading) -> bytes:
    """The Prometheus text of all metrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*counts.families(), *_pipeline(reading), *_report(reading.report)]))
    return generate_latest(registry)


def _pipeline(reading: Reading) -> Iterator[Metric]:
    """Counted in the files, and so the same after a restart."""
    yield CounterMetricFamily("shroff_accepted", "Transactions accepted", value=reading.accepted)
    yield CounterMetricFamily("shroff_decided", "Transactions decided", value=reading.decided)
    yield CounterMetricFamily("shroff_alerts", "Alerts raised", value=reading.alerts)
    yield _by_outcome(reading.outcomes)
    yield GaugeMetricFamily("shroff_dead_lettered", "Transactions given up", value=reading.dead_lettered)
    yield GaugeMetricFamily("shroff_in_flight", "Transactions on their way", value=reading.in_flight)
    yield GaugeMetricFamily("shroff_retrying", "Transactions that failed and wait", value=reading.retrying)
    yield GaugeMetricFamily("shroff_worker_lag_seconds", "Age of the oldest one waiting", value=reading.lag)
    yield from _labels(reading.labels)
    gap = "accepted - decided - dead_lettered - in_flight; anything but 0 is a fault"
    yield GaugeMetricFamily("shroff_audit_gap", gap, value=reading.audit_gap)


def _report(found: Figures | None) -> Iterator[Metric]:
    """What the newest report found: of features and rules the strangest alone, as each is a series."""
    days = () if found is None else [((), datetime.fromisoformat(f"{found.date}T00:00:00+00:00").timestamp())]
    yield _gauge("shroff_report_day_seconds", "Beginning of the day of the newest report", (), days)
    for name, said, label, values in (
        ("shroff_drift_columns", "Columns of the newest report by how they drifted", "state", "drift"),
        ("shroff_drift_psi", "PSI of the columns that shifted most", "column", "psi"),
        ("shroff_rule_habits", "Rules of the newest report by how they hit", "state", "rules"),
        ("shroff_model_agreement", "Share that a challenger decides as the champion", "model", "agreement"),
        (
            "shroff_calibration_ratio",
            "Frauds that came by those expected, newest week",
            "model",
            "calibration",
        ),
    ):
        told: Mapping[str, float] = {} if found is None else getattr(found, values)
        yield _gauge(name, said, (label,), (((each,), value) for each, value in told.items()))
    strange = () if found is None else found.strange_rules
    yield _gauge("shroff_rule_strange", "1 for a rule that is silent or spiking", ("rule", "state"),
                 ((each, 1.0) for each in strange))  # fmt: skip


def _gauge(
    name: str, said: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for told, value in values:
        family.add_metric(told, value)
    return family


def _labels(counts: Mapping[str, int]) -> Iterator[Metric]:
    family = CounterMetricFamily("shroff_labels", "Labels accepted, by label", labels=["label"])
    for label in ("fraud", "legitimate"):
        family.add_metric([label], counts[label])
    yield family
    waiting = counts["fraud"] + counts["legitimate"] - counts["learned"] - counts["passed"]
    yield GaugeMetricFamily("shroff_labels_waiting", "Labels that are not learned yet", value=waiting)


def _by_outcome(outcomes: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily("shroff_decisions", "Decisions, by outcome", labels=["outcome"])
    for outcome, count in sorted(outcomes.items()):
        family.add_metric([outcome], count)
    return family
