"""How each law may be broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.infra import laws
from tests.infra.laws import Law
from tests.infra.names import names_are_what_aws_takes

Given = dict[str, Any]
Change = Callable[[Given], object]


def put(*path: str | int, to: Any) -> Change:
    """Another value at a path."""

    def change(given: Given) -> None:
        inner: Any = given
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return change


def without(*names: str) -> Change:
    """Some members less."""

    def change(given: Given) -> None:
        for name in names:
            del given[name]

    return change


def statement(member: str = "policy", **members: Any) -> Change:
    """Another first statement in a policy."""

    def change(given: Given) -> None:
        policy = json.loads(given[member])
        policy["Statement"][0] |= members
        given[member] = json.dumps(policy)

    return change


QUEUE, DLQ = ("sqs.Queue", "transaction-queue"), ("sqs.Queue", "transaction-dlq")
CONSUMER, SOURCE = ("lambda.Function", "queue-consumer"), ("lambda.EventSourceMapping", "transactions")
ROLE, BUCKET = ("iam.RolePolicy", "api-handler-policy"), "arn:aws:s3:::shroff-reports-prod-123456789012"


def alarm(name: str) -> tuple[str, str]:
    return "cloudwatch.MetricAlarm", name


def log(name: str) -> tuple[str, str]:
    return "cloudwatch.LogGroup", name


def table(name: str) -> tuple[str, str]:
    return "dynamodb.Table", name


API_ROLE = "arn:aws:iam::123456789012:role/api-handler-prod"
ALWAYS = "100 * failed / requests"
RETRIES, LIFECYCLE = (
    ("sqs.RedriveAllowPolicy", "transaction-dlq"),
    ("s3.BucketLifecycleConfiguration", "lifecycle"),
)
STAGE, METHODS = ("apigateway.Stage", "stage"), ("apigateway.MethodSettings", "all")

BROKEN: list[tuple[Law, tuple[str, str], Change | None]] = [
    (
        laws.every_queue_has_a_dead_letter_queue,
        QUEUE,
        put("redrivePolicy", to='{"deadLetterTargetArn": "x"}'),
    ),
    (laws.every_queue_has_a_dead_letter_queue, QUEUE, without("redrivePolicy")),
    (laws.every_dead_letter_queue_has_an_alarm, alarm("invocation-dlq-messages"), None),
    (
        laws.every_dead_letter_queue_has_an_alarm,
        alarm("transaction-dlq-messages"),
        put("threshold", to=5),
    ),
    (laws.a_dead_letter_queue_keeps_longer_than_the_queue, DLQ, put("messageRetentionSeconds", to=345_600)),
    (
        laws.only_the_queue_itself_redrives_into_its_dead_letters,
        ("sqs.RedriveAllowPolicy", "transaction-dlq"),
        None,
    ),
    (laws.visibility_is_six_timeouts, QUEUE, put("visibilityTimeoutSeconds", to=179)),
    (laws.visibility_is_six_timeouts, CONSUMER, put("timeout", to=31)),
    (laws.partial_failures_are_on, SOURCE, without("functionResponseTypes")),
    (laws.partial_failures_are_on, SOURCE, put("scalingConfig", "maximumConcurrency", to=101)),
    (laws.no_policy_has_an_asterisk, ROLE, statement(Action=["logs:*"])),
    (laws.no_policy_has_an_asterisk, ROLE, statement(Resource="*")),
    (laws.no_policy_has_an_asterisk, ROLE, statement(Resource=f"{BUCKET}/*")),
    (laws.no_policy_has_an_asterisk, ROLE, statement(Resource="arn:aws:sqs:eu-west-3:123456789012:*")),
    (laws.no_policy_has_an_asterisk, ("kms.Key", "key"), statement(Action=["kms:*"])),
    (laws.every_log_group_has_retention, log("execution"), without("retentionInDays")),
    (laws.every_log_group_has_retention, log("api-handler-log"), None),
    (laws.nothing_is_public, ("s3.BucketPublicAccessBlock", "private"), put("blockPublicPolicy", to=False)),
    (laws.nothing_is_public, ("apigateway.Method", "GET /health"), put("apiKeyRequired", to=False)),
    (laws.nothing_is_public, ("lambda.Permission", "POST /transactions"), without("sourceArn")),
    (laws.nothing_is_public, ("sns.TopicPolicy", "alarms"), statement(Principal="*")),
    (laws.everything_is_encrypted, DLQ, without("kmsMasterKeyId")),
    (laws.everything_is_encrypted, ("sns.Topic", "alerts"), without("kmsMasterKeyId")),
    (laws.everything_is_encrypted, CONSUMER, without("kmsKeyArn")),
    (laws.everything_is_encrypted, log("access"), without("kmsKeyId")),
    (
        laws.everything_is_encrypted,
        table("state"),
        put("serverSideEncryption", to={"enabled": True}),
    ),
    (laws.everything_is_encrypted, ("s3.BucketServerSideEncryptionConfiguration", "encryption"), None),
    (laws.everything_is_encrypted, ("kms.Key", "key"), put("enableKeyRotation", to=False)),
    (laws.names_carry_the_suffix, DLQ, put("name", to="transaction-dlq")),
    (laws.names_carry_the_suffix, ("cloudwatch.Dashboard", "dashboard"), put("dashboardName", to="shroff")),
    (names_are_what_aws_takes, ("lambda.Permission", "POST /transactions"), without("statementId")),
    (names_are_what_aws_takes, ("lambda.Function", "api-handler"), put("name", to="a" * 65)),
    (laws.every_function_is_watched, alarm("batch-processor-duration"), None),
    (laws.every_function_is_watched, alarm("audit-gap"), None),
    (laws.every_alarm_tells_somebody, alarm("queue-age"), put("alarmActions", to=[])),
    (
        laws.error_rates_are_quiet_when_idle,
        alarm("api-5xx"),
        put("metricQueries", 2, "expression", to=ALWAYS),
    ),
    (
        laws.error_rates_are_quiet_when_idle,
        alarm("api-handler-errors"),
        put("treatMissingData", to="breaching"),
    ),
    (laws.tables_can_be_recovered, table("transactions"), without("pointInTimeRecovery")),
    (laws.tables_can_be_recovered, table("state"), put("ttl", "enabled", to=False)),
    (laws.the_bucket_keeps_what_it_is_given, ("s3.BucketVersioning", "versioning"), None),
    (
        laws.the_bucket_keeps_what_it_is_given,
        ("s3.BucketLifecycleConfiguration", "lifecycle"),
        put("rules", 1, "transitions", to=[]),
    ),
    (laws.the_bucket_keeps_what_it_is_given, LIFECYCLE, put("rules", 2, "expiration", to=None)),
    (laws.the_bucket_keeps_what_it_is_given, ("s3.BucketPolicy", "tls"), statement(Effect="Allow")),
    (laws.the_bucket_keeps_what_it_is_given, ("s3.BucketOwnershipControls", "ownership"), None),
    (laws.failed_runs_are_kept, ("lambda.FunctionEventInvokeConfig", "batch-processor"), None),
    (laws.failed_runs_are_kept, ("scheduler.Schedule", "sweep"), put("target", "deadLetterConfig", to={})),
    (
        laws.failed_runs_are_kept,
        ("scheduler.Schedule", "report"),
        put("scheduleExpression", to="rate(1 day)"),
    ),
    (laws.functions_are_as_the_table_says, CONSUMER, put("tracingConfig", "mode", to="PassThrough")),
    (laws.functions_are_as_the_table_says, CONSUMER, put("memorySize", to=128)),
    (
        laws.every_function_has_a_role_of_its_own,
        CONSUMER,
        put("role", to=API_ROLE),
    ),
    (laws.the_scheduler_starts_its_two_functions_only, ("scheduler.Schedule", "report"), None),
    (
        laws.bodies_are_never_logged,
        ("apigateway.MethodSettings", "all"),
        put("settings", "dataTraceEnabled", to=True),
    ),
    (
        laws.bodies_are_never_logged,
        ("apigateway.Stage", "stage"),
        put("accessLogSettings", "format", to='["$input"]'),
    ),
]
"""A law, a resource, and what is done to it that the law forbids; None takes the resource away."""
