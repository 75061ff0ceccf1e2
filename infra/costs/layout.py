"""What the program declares, as far as it costs something: run under Pulumi's mocks, nothing is made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks

from infra.components.shapes import API, CONSUMER, REPORT, SHAPES, SWEEP
from infra.program import stack
from infra.settings import Settings

Declared = tuple[str, Mapping[str, Any]]
"""(kind, such as `sqs/queue`; what is given)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the bill asks of the program."""

    memory: Mapping[str, float]
    """Function → GB."""
    timeouts: Mapping[str, float]
    reserved: float
    """Runs of a function at once."""
    shards: int
    log_days: float
    access_line: int
    """Bytes of a line of the API's access log, about."""
    methods: int
    alarm_metrics: int
    alarms: int
    dashboards: int
    keys: int
    indexes: Mapping[str, tuple[str, ...]]
    """Table → its indexes."""
    recovery: bool
    tracing: bool
    glacier: tuple[float, str]
    """Days, and the storage class after them."""
    throttle: float
    batch: int


def read_layout(settings: Settings | None = None) -> Layout:
    """What the program declares for a stack of these settings."""
    settings = settings or Settings(suffix="prod")
    return layout_of(_declared(settings), settings)


def layout_of(declared: Iterable[Declared], settings: Settings) -> Layout:
    """Of what was declared, in any order: resources are registered as what they wait for resolves."""
    declared = sorted(declared, key=lambda each: (each[0], str(each[1].get("name"))))

    def all_of(kind: str) -> list[Mapping[str, Any]]:
        return [given for found, given in declared if found == kind]

    functions = {str(each["name"]).removesuffix(f"-{settings.suffix}"): each for each in all_of("function")}
    (stage,), (source,) = all_of("stage"), all_of("eventSourceMapping")
    (method_settings,) = all_of("methodSettings")
    (rule, *_) = all_of("bucketLifecycleConfiguration")[0]["rules"]
    alarms = all_of("metricAlarm")
    tables = all_of("table")
    return Layout(
        memory={name: each["memorySize"] / 1024 for name, each in functions.items()},
        timeouts={name: each["timeout"] for name, each in functions.items()},
        reserved=min(float(each["reservedConcurrentExecutions"]) for each in functions.values()),
        shards=int(functions[SWEEP.name]["environment"]["variables"]["SHROFF_SHARDS"]),
        log_days=max(float(each["retentionInDays"]) for each in all_of("logGroup")),
        access_line=len(stage["accessLogSettings"]["format"]),
        methods=len(all_of("method")) if method_settings["settings"]["metricsEnabled"] else 0,
        alarm_metrics=sum(_metrics_of(each) for each in alarms),
        alarms=len(alarms),
        dashboards=len(all_of("dashboard")),
        keys=len(all_of("key")),
        indexes=dict(map(_indexes_of, tables)),
        recovery=all(each["pointInTimeRecovery"]["enabled"] for each in tables),
        tracing=bool(stage["xrayTracingEnabled"]),
        glacier=(rule["transitions"][0]["days"], str(rule["transitions"][0]["storageClass"])),
        throttle=float(method_settings["settings"]["throttlingRateLimit"]),
        batch=int(source["batchSize"]),
    )  # fmt: skip


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """An alarm over an expression is billed for each metric in it."""
    return sum("metric" in each for each in alarm.get("metricQueries") or ()) or 1


def _indexes_of(table: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    names = tuple(str(each["name"]) for each in table["globalSecondaryIndexes"])
    return str(table["name"]).partition("-")[0], names


class _Recorder(Mocks):
    def __init__(self) -> None:
        self.declared: list[Declared] = []

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        told = {"accountId": "123456789012", "region": "us-east-1", "name": "us-east-1", "partition": "aws"}
        return {**told, "id": "1", "dnsSuffix": "amazonaws.com"}, []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ.startswith("aws:"):
            self.declared.append((_kind(args.typ), args.inputs))
        made = {name: f"{name}-of-{args.name}" for name in ("arn", "url", "invokeArn", "executionArn")}
        return args.name, {**made, "rootResourceId": "root", "keyId": "key", **args.inputs}


def _kind(typ: str) -> str:
    """`aws:apigateway/method:Method` → `method`; the key of the API is no key of KMS."""
    return "apiKey" if "apiKey" in typ else typ.split(":")[1].rpartition("/")[2]


def _declared(settings: Settings) -> Iterable[Declared]:
    recorder = _Recorder()
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            (Path(folder) / f"{shape.name}.zip").write_bytes(b"no code is needed to be priced")
        pulumi.runtime.set_mocks(recorder, project="shroff", stack=settings.suffix, preview=False)

        def program() -> None:
            stack(settings, Path(folder))

        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder.declared


API_HANDLER, QUEUE_CONSUMER = API.name, CONSUMER.name
BATCH_PROCESSOR, REPORT_GENERATOR = SWEEP.name, REPORT.name
