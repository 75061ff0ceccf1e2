"""What a function is told, what it counts, and what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from types import SimpleNamespace

import pytest
import structlog

from shroff.core.errors import Rejected
from shroff.runtimes.lambdas.invocation import invocation
from shroff.runtimes.lambdas.meter import Meter
from shroff.runtimes.lambdas.report import day_of
from shroff.runtimes.lambdas.settings import read_cloud_settings

HANDLERS = ("api", "consumer", "sweep", "report")
NOT_IN_ZIPS = (
    "granian", "polars", "prometheus_client", "numba", "llvmlite", "uvloop", "cyclopts", "rich", "sqlite3",
    "shroff.adapters.sqlite", "shroff.adapters.files", "shroff.simulator", "shroff.runtimes.embedded",
)  # fmt: skip


def test_settings_are_typed_and_empty_is_unset():
    settings = read_cloud_settings(
        {
            "SHROFF_SUFFIX": "prod",
            "SHROFF_SHARDS": "32",
            "SHROFF_RETENTION_DAYS": "",
            "SHROFF_LOG_LEVEL": "WARN",
        }
    )
    assert (settings.shards, settings.retention_days, settings.log_level) == (32, None, "WARN")
    assert settings.queue_url is None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "suffix"),
        ({"SHROFF_SUFFIX": "x", "SHROFF_SHARDS": "many"}, "shards"),
        ({"SHROFF_SUFFIX": "x", "SHROFF_SHARDS": "0"}, "shards"),
        ({"SHROFF_SUFFIX": "x", "SHROFF_CURRENCY": "bitcoin"}, "SHROFF_CURRENCY"),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(environment: dict[str, str], said: str):
    with pytest.raises(Rejected, match=said):
        read_cloud_settings(environment)


def test_everything_that_is_missing_is_named_at_once():
    settings = read_cloud_settings({"SHROFF_SUFFIX": "x", "SHROFF_BUCKET": "b"})
    settings.require("bucket")
    with pytest.raises(Rejected, match="SHROFF_QUEUE_URL, SHROFF_ALERTS_TOPIC"):
        settings.require("queue_url", "bucket", "alerts_topic")


def test_metrics_are_lines_that_cloudwatch_reads():
    lines: list[str] = []
    meter = Meter("prod", lambda: 1_700_000_000_000, lines.append)
    meter.count("Decided", 2)
    meter.count("Decided", 1, outcome="review")
    meter.observe("BatchAge", 12.0)
    meter.flush()
    first, second, third = map(json.loads, lines)
    assert first == {
        "_aws": {
            "Timestamp": 1_700_000_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Shroff",
                    "Dimensions": [["suffix"]],
                    "Metrics": [{"Name": "Decided", "Unit": "Count"}],
                }
            ],
        },
        "suffix": "prod",
        "Decided": 2,
    }
    assert (second["outcome"], second["Decided"]) == ("review", 1)
    assert second["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["suffix", "outcome"]]
    assert third["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "BatchAge", "Unit": "Milliseconds"}]
    assert third["BatchAge"] == [12.0]
    meter.flush()
    assert len(lines) == 3


def test_no_line_carries_more_than_a_hundred_values():
    lines: list[str] = []
    meter = Meter("prod", lambda: 1, lines.append)
    for value in range(250):
        meter.observe("BatchAge", value)
    meter.flush()
    assert [len(json.loads(line)["BatchAge"]) for line in lines] == [100, 100, 50]


def test_what_was_counted_is_written_however_an_invocation_ends():
    lines: list[str] = []
    meter = Meter("prod", lambda: 1, lines.append)
    context = SimpleNamespace(aws_request_id="r-1", invoked_function_arn="", get_remaining_time_in_millis=int)

    def run() -> None:
        with invocation(context, meter):
            assert structlog.contextvars.get_contextvars() == {"request_id": "r-1"}
            meter.count("Accepted")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert len(lines) == 1
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(
    ("event", "day"),
    [
        ({"time": "2026-03-01T01:00:00Z"}, date(2026, 2, 28)),
        ({"time": "2026-03-01T00:30:00+02:00"}, date(2026, 2, 27)),
        ({"date": "2024-02-29"}, date(2024, 2, 29)),
        ({}, date(2023, 11, 13)),
    ],
)
def test_a_report_is_of_the_day_before_or_of_the_one_asked_for(event: dict[str, str], day: date):
    assert day_of(event, 1_700_000_000_000) == day


@pytest.mark.parametrize("event", [{"date": "yesterday"}, {"date": 5}, {"time": "noon"}])
def test_a_report_of_no_day_is_refused(event: dict[str, str]):
    with pytest.raises(Rejected, match="names no day"):
        day_of(event, 0)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_needs_nothing_that_is_not_in_its_zip(handler: str):
    absent = NOT_IN_ZIPS + (() if handler == "report" else ("jinja2",))
    program = (
        f"import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
        f"from shroff.runtimes.lambdas.{handler} import handler\n"
        "assert 'botocore.client' not in sys.modules or 'boto3' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_without_its_environment_says_what_is_missing(handler: str):
    program = f"from shroff.runtimes.lambdas.{handler} import handler\nhandler({{}}, None)\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"SHROFF_SUFFIX": "x", "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "this function needs SHROFF_TRANSACTIONS_TABLE, SHROFF_STATE_TABLE" in done.stderr


def test_logs_are_json_lines_that_name_the_request():
    program = (
        "from types import SimpleNamespace\nimport structlog\n"
        "from shroff.runtimes.lambdas.invocation import begin_logs, invocation\n"
        "from shroff.runtimes.lambdas.meter import Meter\n"
        "begin_logs('WARN')\n"
        "with invocation(SimpleNamespace(aws_request_id='r-9'), Meter('x', int)):\n"
        "    structlog.get_logger().warning('message_failed', transaction_id='t')\n"
        "    structlog.get_logger().info('not this')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["event"], line["request_id"], line["transaction_id"]) == ("message_failed", "r-9", "t")
