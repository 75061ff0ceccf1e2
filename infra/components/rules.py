"""What rings, from when on: every alarm as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.components.contract import STAGE
from infra.components.place import Place
from infra.components.shapes import SHAPES, SWEEP, Shape
from infra.settings import Settings

DEAD_LETTER_QUEUES = ("transaction-dlq", "invocation-dlq")
NAMESPACE = "Shroff"
"""Where the functions' own metrics are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A metric of CloudWatch, over five minutes unless told otherwise."""

    namespace: str
    metric: str
    dimensions: dict[str, str]
    stat: str = "Sum"
    period: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Rings while the series, or the expression over several, is over the limit."""

    name: str
    says: str
    series: dict[str, Series]
    over: float
    expression: str | None = None
    """Metric math over the names of the series."""
    times: int = 1
    """Periods in a row."""
    below: bool = False
    """Rings under the limit instead."""
    silent: Literal["notBreaching", "breaching"] = "notBreaching"
    """What it means that there is nothing to measure."""


def rules(place: Place, settings: Settings) -> list[Rule]:
    """Every alarm of the stack."""
    return [
        *(rule for shape in SHAPES for rule in _function(place, shape)),
        *_queues(place, settings),
        *_api(place, settings),
        *_clock(place),
    ]


def function(place: Place, shape: Shape, metric: str, stat: str = "Sum", period: int = 300) -> Series:
    """A metric that Lambda keeps of a function."""
    dimensions = {"FunctionName": place.name(shape.name)}
    return Series(namespace="AWS/Lambda", metric=metric, dimensions=dimensions, stat=stat, period=period)


def queue(place: Place, name: str, metric: str, stat: str = "Maximum") -> Series:
    """A metric that SQS keeps of a queue."""
    return Series(namespace="AWS/SQS", metric=metric, dimensions={"QueueName": place.name(name)}, stat=stat)


def api(place: Place, metric: str, stat: str = "Sum") -> Series:
    """A metric that API Gateway keeps of the stage."""
    dimensions = {"ApiName": place.name("shroff"), "Stage": STAGE}
    return Series(namespace="AWS/ApiGateway", metric=metric, dimensions=dimensions, stat=stat)


def schedules(place: Place, metric: str) -> Series:
    """A metric that EventBridge Scheduler keeps of the group."""
    return Series(
        namespace="AWS/Scheduler", metric=metric, dimensions={"ScheduleGroup": place.name("shroff")}
    )


def own(place: Place, metric: str, stat: str = "Maximum") -> Series:
    """A metric that the functions write into their logs."""
    return Series(namespace=NAMESPACE, metric=metric, dimensions={"suffix": place.suffix}, stat=stat)


def _function(place: Place, shape: Shape) -> Iterator[Rule]:
    invocations = function(place, shape, "Invocations")
    yield Rule(
        name=f"{shape.name}-errors",
        says=f"More than 1 % of the runs of {place.name(shape.name)} failed in 5 minutes",
        series={"errors": function(place, shape, "Errors"), "invocations": invocations},
        # Idle is no error: without invocations there is no rate.
        expression="IF(invocations > 0, 100 * errors / invocations, 0)",
        over=1,
    )
    yield Rule(
        name=f"{shape.name}-throttles",
        says=f"{place.name(shape.name)} was refused runs: its concurrency or the account's is used up",
        series={"throttles": function(place, shape, "Throttles")},
        over=0,
    )
    yield Rule(
        name=f"{shape.name}-duration",
        says=f"A run of {place.name(shape.name)} took over {shape.slow} of its {shape.timeout} seconds",
        series={"duration": function(place, shape, "Duration", "Maximum")},
        over=shape.slow * 1000,
    )


def _queues(place: Place, settings: Settings) -> Iterator[Rule]:
    yield Rule(
        name="queue-age",
        says="The oldest transaction in the queue has waited too long: decisions lag",
        series={"age": queue(place, "transaction-queue", "ApproximateAgeOfOldestMessage")},
        over=settings.queue_age_alarm,
    )
    yield Rule(
        name="queue-depth",
        says="Transactions pile up in the queue",
        series={"depth": queue(place, "transaction-queue", "ApproximateNumberOfMessagesVisible")},
        over=settings.queue_depth_alarm,
    )
    yield Rule(
        name="put-back",
        says="For 15 minutes transactions of a hot entity went to the end of the queue again and again",
        # Each time is a new message, so that the queue's age does not show it.
        series={"again": own(place, "PutBack")},
        over=1_000,
        times=3,
    )
    for name in DEAD_LETTER_QUEUES:
        yield Rule(
            name=f"{name}-messages",
            says=f"There is something in {place.name(name)}",
            series={"messages": queue(place, name, "ApproximateNumberOfMessagesVisible")},
            over=0,
        )


def _api(place: Place, settings: Settings) -> Iterator[Rule]:
    yield Rule(
        name="api-5xx",
        says="More than 1 % of the requests to the API were answered with a 5xx in 5 minutes",
        series={"failed": api(place, "5XXError"), "requests": api(place, "Count")},
        expression="IF(requests > 0, 100 * failed / requests, 0)",
        over=1,
    )
    yield Rule(
        name="api-latency",
        says=f"The API's p99 latency was over {settings.latency_alarm_ms} ms for 15 minutes",
        series={"latency": api(place, "Latency", "p99")},
        over=settings.latency_alarm_ms,
        times=3,
    )


def _clock(place: Place) -> Iterator[Rule]:
    yield Rule(
        name="schedules",
        says="A schedule could not start its function",
        series={
            "failed": schedules(place, "TargetErrorCount"),
            "dropped": schedules(place, "InvocationDroppedCount"),
            "lost": schedules(place, "InvocationsFailedToBeSentToDeadLetterCount"),
        },
        expression="FILL(failed, 0) + FILL(dropped, 0) + FILL(lost, 0)",
        over=0,
    )
    yield Rule(
        name="lost-runs",
        says="A failed asynchronous run could not even be kept in the dead-letter queue",
        series={
            f"lost{number}": function(place, shape, "DestinationDeliveryFailures")
            for number, shape in enumerate(SHAPES)
        },
        expression=" + ".join(f"FILL(lost{each}, 0)" for each in range(len(SHAPES))),
        over=0,
    )
    yield Rule(
        name="sweep-silent",
        says="The sweep has not run for 15 minutes",
        series={"runs": function(place, SWEEP, "Invocations", period=900)},
        over=1,
        below=True,
        silent="breaching",
    )
    yield Rule(
        name="audit-gap",
        says="Transactions were accepted more than 15 minutes ago and have no fate",
        series={"gap": own(place, "AuditGap")},
        over=0,
    )
