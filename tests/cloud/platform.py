"""What Lambda does around a function: its log, its traces, its metrics, retries of asynchronous runs."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from tests.cloud.functions import Function
from tests.cloud.process import Moto
from tests.cloud.runtime_api import Result


@dataclass
class Platform:
    """Ships lines to the function's log group and traces to X-Ray with its role's credentials, as Lambda
    does.
    """

    moto: Moto
    streams: set[str] = field(default_factory=set)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """What the role was not allowed to do here; Lambda says nothing of it, and the log stays empty."""
    lines: dict[str, list[str]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def after(self, function: Function, lines: list[str], result: Result, seconds: float) -> None:
        """Called after every invocation."""
        name = function.settings.name
        with self.lock:
            self.lines.setdefault(name, []).extend(lines)
            try:
                self.ship(function, lines)
                self.trace(function, seconds)
            except ClientError as error:
                self.refused.append(str(error))
            self.measure(name, lines, result, seconds)

    def client(self, function: Function, service: str) -> Any:
        place = (function.credentials["aws_access_key_id"], service)
        if place not in self.clients:
            self.clients[place] = self.moto.client(service, function.credentials)
        return self.clients[place]

    def ship(self, function: Function, lines: list[str]) -> None:
        """Lines to the log group that was declared; the group itself is not Lambda's to make."""
        client, name = self.client(function, "logs"), function.settings.name
        group = f"/aws/lambda/{name}"
        if name not in self.streams:
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(logGroupName=group, logStreamName="local")
            self.streams.add(name)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line.rstrip("\n") or " "} for line in lines]
        events.append({"timestamp": now, "message": "REPORT"})
        client.put_log_events(logGroupName=group, logStreamName="local", logEvents=events)

    def trace(self, function: Function, seconds: float) -> None:
        client, now = self.client(function, "xray"), time.time()
        segment = {
            "trace_id": f"1-{int(now):08x}-{time.monotonic_ns():024x}",
            "id": f"{time.monotonic_ns():016x}"[-16:],
            "name": function.settings.name, "start_time": now - seconds, "end_time": now,
        }  # fmt: skip
        client.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
        client.put_telemetry_records(TelemetryRecords=[{"Timestamp": datetime.fromtimestamp(now, UTC)}])

    def measure(self, name: str, lines: list[str], result: Result, seconds: float) -> None:
        """Lambda's own metrics, and those that the lines carry in embedded metric format."""
        client = self.moto.client("cloudwatch")
        about = [{"Name": "FunctionName", "Value": name}]
        values = {"Invocations": 1.0, "Errors": float(result.error is not None), "Duration": seconds * 1000}
        client.put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {"MetricName": each, "Dimensions": about, "Value": value} for each, value in values.items()
            ],
        )
        for namespace, data in embedded(lines).items():
            client.put_metric_data(Namespace=namespace, MetricData=data)


def embedded(lines: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The metrics that CloudWatch reads from a log, by namespace."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if '"_aws"' not in line:
            continue
        members = json.loads(line)
        for directive in members["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                about = [{"Name": name, "Value": str(members[name])} for name in names]
                for metric in directive["Metrics"]:
                    value = members[metric["Name"]]
                    values = {"Values": value} if isinstance(value, list) else {"Value": value}
                    found.setdefault(directive["Namespace"], []).append(
                        {"MetricName": metric["Name"], "Dimensions": about, **values}
                    )
    return found
