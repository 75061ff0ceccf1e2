"""One dashboard: alarms first, then the way of a transaction from the API to the audit."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from infra.components.place import Place
from infra.components.rules import (
    DEAD_LETTER_QUEUES,
    Rule,
    Series,
    api,
    function,
    own,
    queue,
    rules,
    schedules,
)
from infra.components.shapes import SHAPES
from infra.settings import Settings

_Widget = dict[str, Any]
_WIDE, _HIGH, _TOP = 8, 6, 4
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
"""Where the console is not where it is elsewhere."""


class Dashboard(pulumi.ComponentResource):
    """What somebody on call looks at first."""

    def __init__(self, place: Place, settings: Settings) -> None:
        super().__init__("shroff:infra:Dashboard", "dashboard")
        body = json.dumps({"widgets": widgets(place, rules(place, settings))})
        made = cloudwatch.Dashboard(
            "dashboard",
            dashboard_name=place.name("shroff"),
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=self),
        )
        console = _CONSOLES.get(place.partition, "console.aws.amazon.com")
        self.url = pulumi.Output.concat(
            f"https://{place.region}.{console}/cloudwatch/home?region={place.region}#dashboards/dashboard/",
            made.dashboard_name,
        )
        self.register_outputs({})


def widgets(place: Place, of: list[Rule]) -> list[_Widget]:
    """Three graphs a row, under the state of all alarms."""
    arns = [place.arn("cloudwatch", f"alarm:{place.name(each.name)}") for each in of]
    place_of = {"x": 0, "y": 0, "width": 3 * _WIDE, "height": _TOP}
    alarms = {"type": "alarm", **place_of, "properties": {"title": "Alarms", "alarms": arns}}
    graphs = [_graph(place, title, lines) for title, lines in _graphs(place).items()]
    for number, graph in enumerate(graphs):
        row, column = divmod(number, 3)
        graph |= {"x": column * _WIDE, "y": _TOP + row * _HIGH, "width": _WIDE, "height": _HIGH}
    return [alarms, *graphs]


def _graphs(place: Place) -> dict[str, list[Series]]:
    return {
        "Requests": [api(place, each) for each in ("Count", "4XXError", "5XXError")],
        "API latency (ms)": [api(place, "Latency", each) for each in ("p50", "p99")],
        "Queue: waiting and in flight": [
            queue(place, "transaction-queue", "ApproximateNumberOfMessagesVisible"),
            queue(place, "transaction-queue", "ApproximateNumberOfMessagesNotVisible"),
        ],
        "Queue: age of the oldest (s)": [queue(place, "transaction-queue", "ApproximateAgeOfOldestMessage")],
        "Dead letters": [
            queue(place, each, "ApproximateNumberOfMessagesVisible") for each in DEAD_LETTER_QUEUES
        ],
        "Transactions without a fate": [own(place, "AuditGap")],
        "Runs": [function(place, each, "Invocations") for each in SHAPES],
        "Failed runs": [function(place, each, "Errors") for each in SHAPES],
        "Refused runs": [function(place, each, "Throttles") for each in SHAPES],
        "Duration (ms, longest)": [function(place, each, "Duration", "Maximum") for each in SHAPES],
        "Runs at once": [function(place, each, "ConcurrentExecutions", "Maximum") for each in SHAPES],
        "Schedules": [
            schedules(place, each)
            for each in ("InvocationAttemptCount", "TargetErrorCount", "InvocationDroppedCount",
                         "InvocationsFailedToBeSentToDeadLetterCount")
        ],
    }  # fmt: skip


def _graph(place: Place, title: str, lines: list[Series]) -> _Widget:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": place.region,
            "view": "timeSeries",
            "period": 300,
            "metrics": [_line(each) for each in lines],
        },
    }


def _line(series: Series) -> list[Any]:
    dimensions = [part for pair in series.dimensions.items() for part in pair]
    return [series.namespace, series.metric, *dimensions, {"stat": series.stat}]
