"""What must hold of every stack: each law says what breaks it, in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from infra.components.shapes import SHAPES
from tests.infra.declared import Declared, World, physical_name
from tests.infra.names import names_are_what_aws_takes
from tests.infra.policies import arn_of, as_list, dead_letter_queues, function_of, is_wild, statements

Law = Callable[[World], Iterator[str]]


def every_queue_has_a_dead_letter_queue(world: World) -> Iterator[str]:
    arns, dead = {arn_of(each) for each in world.all("sqs.Queue")}, dead_letter_queues(world)
    for queue in world.all("sqs.Queue"):
        if queue.given["name"] in dead:
            continue
        redrive = json.loads(queue.given.get("redrivePolicy") or "{}")
        if redrive.get("deadLetterTargetArn") not in arns or redrive.get("maxReceiveCount") != 3:
            yield f"{queue.name} loses what fails"


def every_dead_letter_queue_has_an_alarm(world: World) -> Iterator[str]:
    watched = {
        (alarm.given.get("dimensions") or {}).get("QueueName")
        for alarm in world.all("cloudwatch.MetricAlarm")
        if alarm.given.get("metricName") == "ApproximateNumberOfMessagesVisible"
        and alarm.given["threshold"] == 0
        and alarm.given["alarmActions"]
    }
    yield from (f"{name} fills in silence" for name in dead_letter_queues(world) - watched)


def a_dead_letter_queue_keeps_longer_than_the_queue(world: World) -> Iterator[str]:
    dead = dead_letter_queues(world)
    kept = {each.given["name"]: each.given["messageRetentionSeconds"] for each in world.all("sqs.Queue")}
    if min(kept[name] for name in dead) <= max(kept[name] for name in kept.keys() - dead):
        yield "a message would expire on the way: its age counts from when it was first sent"


def only_the_queue_itself_redrives_into_its_dead_letters(world: World) -> Iterator[str]:
    said = {each.name: each.policy("redriveAllowPolicy") for each in world.all("sqs.RedriveAllowPolicy")}
    if said.get("transaction-dlq", {}).get("redrivePermission") != "byQueue":
        yield "any queue may redrive into transaction-dlq"
    if said.get("invocation-dlq") != {"redrivePermission": "denyAll"}:
        yield "a queue may redrive into invocation-dlq"


def visibility_is_six_timeouts(world: World) -> Iterator[str]:
    queues = {arn_of(each): each for each in world.all("sqs.Queue")}
    for source in world.all("lambda.EventSourceMapping"):
        queue, function = queues[source.given["eventSourceArn"]], function_of(world, source)
        if queue.given["visibilityTimeoutSeconds"] < 6 * function.given["timeout"]:
            yield f"{queue.name} hands over again what is still being decided"


def partial_failures_are_on(world: World) -> Iterator[str]:
    for source in world.all("lambda.EventSourceMapping"):
        if source.given.get("functionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{source.name} sends back whole batches"
        limit = function_of(world, source).given["reservedConcurrentExecutions"]
        if not 2 <= source.given["scalingConfig"]["maximumConcurrency"] <= limit:
            yield f"{source.name} runs into the function's concurrency"


COMMENTED = {
    ("kms.Key", "key"): "in a key's policy the resource is the key itself",
    ("s3.BucketPolicy", "tls"): "who comes without TLS is refused, whoever it is",
}
"""Policies with an asterisk that is not X-Ray's, and why."""


def no_policy_has_an_asterisk(world: World) -> Iterator[str]:
    for resource, statement in statements(world):
        actions, on = as_list(statement["Action"]), as_list(statement.get("Resource", []))
        if (resource.kind, resource.name) in COMMENTED:
            # A refusal may name all; what is allowed is at least named action by action.
            wild = statement["Effect"] == "Allow" and any("*" in each for each in actions)
        elif on == ["*"]:
            wild = any(not each.startswith("xray:Put") for each in actions)
        else:
            wild = any("*" in each for each in actions) or any(is_wild(each) for each in on)
        if wild:
            yield f"{resource.kind} {resource.name}: {', '.join(actions)} on {', '.join(on)}"


def every_log_group_has_retention(world: World) -> Iterator[str]:
    groups = {each.given["name"]: each for each in world.all("cloudwatch.LogGroup")}
    yield from (
        f"{name} grows for ever" for name, each in groups.items() if not each.given.get("retentionInDays")
    )
    for function in world.all("lambda.Function"):
        if function.given["loggingConfig"].get("logGroup") != f"/aws/lambda/{function.given['name']}":
            yield f"{function.name} has no log of its own"
        if f"/aws/lambda/{function.given['name']}" not in groups:
            yield f"{function.name} makes its log itself"


def nothing_is_public(world: World) -> Iterator[str]:
    for resource, statement in statements(world):
        if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
            yield f"{resource.name} is open to everybody"
    for bucket in world.all("s3.Bucket"):
        blocks = [
            each
            for each in world.all("s3.BucketPublicAccessBlock")
            if each.given["bucket"].endswith(bucket.given["bucket"])
        ]
        names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        if not any(all(each.given[name] for name in names) for each in blocks):
            yield f"{bucket.name} may be made public"
    for method in world.all("apigateway.Method"):
        if method.given["authorization"] == "NONE" and not method.given["apiKeyRequired"]:
            yield f"{method.name} asks nobody who they are"
    for permission in world.all("lambda.Permission"):
        if not permission.given.get("sourceArn") or permission.given["sourceArn"].endswith("/*/*"):
            yield f"{permission.name} lets any API call the function"


ENCRYPTED = {
    "sqs.Queue": "kmsMasterKeyId",
    "sns.Topic": "kmsMasterKeyId",
    "cloudwatch.LogGroup": "kmsKeyId",
    "lambda.Function": "kmsKeyArn",
}
"""What keeps something, and the member that names the key."""


def everything_is_encrypted(world: World) -> Iterator[str]:
    (key,) = world.all("kms.Key")
    if not key.given["enableKeyRotation"]:
        yield "the key does not rotate"
    arn = "arn:aws:kms:eu-west-3:123456789012:key/1234"
    for resource in world.all(*ENCRYPTED):
        if resource.given.get(ENCRYPTED[resource.kind]) != arn:
            yield f"{resource.kind} {resource.name} is not under the key"
    for table in world.all("dynamodb.Table"):
        if table.given.get("serverSideEncryption") != {"enabled": True, "kmsKeyArn": arn}:
            yield f"the table {table.name} is not under the key"
    rules = [
        rule
        for each in world.all("s3.BucketServerSideEncryptionConfiguration")
        for rule in each.given["rules"]
    ]
    if [each["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId") for each in rules] != [arn]:
        yield "the bucket is not under the key"


INSIDE = ("apigateway.Model", "apigateway.RequestValidator", "apigateway.Authorizer")
"""What has a name within the API only."""


def names_carry_the_suffix(world: World) -> Iterator[str]:
    suffix = world.one("lambda.Function", "api-handler").given["name"].removeprefix("api-handler-")
    for resource in world.resources:
        name = named(resource)
        if name is not None and not (f"-{suffix}" in name or f"{suffix}/" in name):
            yield f"{resource.kind} {name}"


def named(resource: Declared) -> str | None:
    """The name that it shares an account with others under; None where it has none of its own."""
    given = physical_name(resource.kind, resource.given)
    # What belongs to a bucket or an API names it, and is not named itself.
    part = resource.kind.startswith("s3.Bucket") and resource.kind != "s3.Bucket"
    return None if part or resource.kind in INSIDE else given


def every_function_is_watched(world: World) -> Iterator[str]:
    names = {each.name for each in world.all("cloudwatch.MetricAlarm")}
    wanted = {f"{shape.name}-{what}" for shape in SHAPES for what in ("errors", "throttles", "duration")}
    wanted |= {"queue-age", "queue-depth", "put-back", "api-5xx", "api-latency", "audit-gap", "schedules"}
    yield from (f"there is no alarm {name}" for name in sorted(wanted - names))


def every_alarm_tells_somebody(world: World) -> Iterator[str]:
    topics = {f"arn:aws:sns:eu-west-3:123456789012:{each.given['name']}" for each in world.all("sns.Topic")}
    for alarm in world.all("cloudwatch.MetricAlarm"):
        if not set(alarm.given.get("alarmActions") or []) & topics or not alarm.given.get("alarmDescription"):
            yield f"{alarm.name} rings in an empty house"


def error_rates_are_quiet_when_idle(world: World) -> Iterator[str]:
    for alarm in world.all("cloudwatch.MetricAlarm"):
        if not alarm.name.endswith(("-errors", "-5xx")):
            continue
        queries = {each["id"]: each for each in alarm.given["metricQueries"]}
        shown = [each for each in queries.values() if each["returnData"]]
        if len(shown) != 1 or not shown[0]["expression"].startswith("IF(") or alarm.given["threshold"] != 1:
            yield f"{alarm.name} is no rate of more than 1 %"
        if alarm.given["treatMissingData"] != "notBreaching":
            yield f"{alarm.name} rings when nothing happens"


def tables_can_be_recovered(world: World) -> Iterator[str]:
    for table in world.all("dynamodb.Table"):
        if table.given.get("pointInTimeRecovery") != {"enabled": True}:
            yield f"{table.name} cannot be put back"
        if table.given["billingMode"] != "PAY_PER_REQUEST":
            yield f"{table.name} refuses what was not foreseen"
        if table.given.get("ttl") != {"attributeName": "expires_at", "enabled": True}:
            yield f"{table.name} never forgets"


def the_bucket_keeps_what_it_is_given(world: World) -> Iterator[str]:
    if [each.given["versioningConfiguration"]["status"] for each in world.all("s3.BucketVersioning")] != [
        "Enabled"
    ]:
        yield "what is replaced is gone"
    (rules,) = (each.given["rules"] for each in world.all("s3.BucketLifecycleConfiguration"))
    glacier = {rule["filter"]["prefix"] for rule in rules for move in rule.get("transitions", [])
               if move["days"] == 90 and move["storageClass"].startswith("GLACIER")}  # fmt: skip
    if glacier != {"reports/", "chunks/"}:
        yield "reports or chunks never go to Glacier"
    if not any("abortIncompleteMultipartUpload" in rule for rule in rules):
        yield "unfinished uploads are paid for ever"
    if not any(rule.get("expiration") == {"expiredObjectDeleteMarker": True} for rule in rules):
        yield "what is deleted leaves a marker for ever"
    if [each.given["rule"]["objectOwnership"] for each in world.all("s3.BucketOwnershipControls")] != [
        "BucketOwnerEnforced"
    ]:
        yield "objects may belong to others"
    refused = [each for resource, each in statements(world) if resource.kind == "s3.BucketPolicy"]
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    if not any(
        each["Effect"] == "Deny" and each["Condition"] == tls and each["Action"] == "s3:*" for each in refused
    ):
        yield "it can be read without TLS"


def failed_runs_are_kept(world: World) -> Iterator[str]:
    kept = {each.given["functionName"]: each for each in world.all("lambda.FunctionEventInvokeConfig")}
    dead = {
        arn_of(each) for each in world.all("sqs.Queue") if each.given["name"] in dead_letter_queues(world)
    }
    for function in world.all("lambda.Function"):
        config = kept.get(function.given["name"])
        if config is None or config.given["destinationConfig"]["onFailure"]["destination"] not in dead:
            yield f"{function.name} loses runs that fail"
    for schedule in world.all("scheduler.Schedule"):
        target = schedule.given["target"]
        if target.get("deadLetterConfig", {}).get("arn") not in dead or not target.get("retryPolicy"):
            yield f"{schedule.name} loses runs that cannot start"
        if not schedule.given["scheduleExpression"].startswith("cron("):
            yield f"{schedule.name} drifts"


def functions_are_as_the_table_says(world: World) -> Iterator[str]:
    for function in world.all("lambda.Function"):
        given = function.given
        wanted = {"runtime": "python3.11", "memorySize": 3072, "reservedConcurrentExecutions": 100,
                  "tracingConfig": {"mode": "Active"}}  # fmt: skip
        wrong = [name for name, value in wanted.items() if given.get(name) != value]
        if wrong:
            yield f"{function.name}: {', '.join(wrong)}"


def every_function_has_a_role_of_its_own(world: World) -> Iterator[str]:
    roles = [each.given["role"] for each in world.all("lambda.Function")]
    if len(set(roles)) != len(roles):
        yield "two functions share a role"


def the_scheduler_starts_its_two_functions_only(world: World) -> Iterator[str]:
    targets = sorted(each.given["target"]["arn"] for each in world.all("scheduler.Schedule"))
    policy = world.one("iam.RolePolicy", "scheduler").policy()
    may = [each["Resource"] for each in policy["Statement"] if "lambda:InvokeFunction" in each["Action"]]
    if sorted(each for found in may for each in as_list(found)) != targets:
        yield "the scheduler may start what it does not schedule"


def bodies_are_never_logged(world: World) -> Iterator[str]:
    for settings in world.all("apigateway.MethodSettings"):
        if settings.given["settings"]["dataTraceEnabled"] is not False:
            yield "the execution log holds bodies"
        limits = settings.given["settings"]
        if (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) != (10_000, 5_000):
            yield "the stage is not throttled as it should be"
    for stage in world.all("apigateway.Stage"):
        line = stage.given["accessLogSettings"]["format"]
        if not isinstance(json.loads(line), dict) or any(
            f"${each}" in line for each in ("input", 'context.path"', "context.identity.sourceIp")
        ):
            yield "the access log holds what is personal"
        if not stage.given["xrayTracingEnabled"]:
            yield "requests are not traced"


LAWS: tuple[Law, ...] = (
    every_queue_has_a_dead_letter_queue,
    every_dead_letter_queue_has_an_alarm,
    a_dead_letter_queue_keeps_longer_than_the_queue,
    only_the_queue_itself_redrives_into_its_dead_letters,
    visibility_is_six_timeouts,
    partial_failures_are_on,
    no_policy_has_an_asterisk,
    every_log_group_has_retention,
    nothing_is_public,
    everything_is_encrypted,
    names_carry_the_suffix,
    names_are_what_aws_takes,
    every_function_is_watched,
    every_alarm_tells_somebody,
    error_rates_are_quiet_when_idle,
    tables_can_be_recovered,
    the_bucket_keeps_what_it_is_given,
    failed_runs_are_kept,
    functions_are_as_the_table_says,
    every_function_has_a_role_of_its_own,
    the_scheduler_starts_its_two_functions_only,
    bodies_are_never_logged,
)
