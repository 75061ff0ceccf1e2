"""Creates queues, roles, logs, functions and event sources."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from tests.cloud.creating.registry import Created, Inputs, creates, pascal, strings, taken
from tests.cloud.process import ACCOUNT, REGION, Moto

_QUEUE = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "policy": "Policy",
}


@creates("aws:sqs/queue:Queue")
def queue(moto: Moto, inputs: Inputs) -> Created:
    attributes = strings({_QUEUE[name]: value for name, value in inputs.items() if name in _QUEUE})
    url = moto.client("sqs").create_queue(QueueName=inputs["name"], Attributes=attributes)["QueueUrl"]
    return url, {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{inputs['name']}", "url": url}


@creates("aws:sqs/redrivePolicy:RedrivePolicy")
@creates("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
@creates("aws:sqs/queuePolicy:QueuePolicy")
def queue_attribute(moto: Moto, inputs: Inputs) -> Created:
    attributes = strings({_QUEUE[name]: value for name, value in inputs.items() if name in _QUEUE})
    moto.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes=attributes)
    return inputs["queueUrl"], {}


@creates("aws:iam/role:Role")
def role(moto: Moto, inputs: Inputs) -> Created:
    client, name = moto.client("iam"), inputs.get("name") or f"{inputs['namePrefix']}local"
    made = client.create_role(RoleName=name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"])["Role"]
    for each in inputs.get("inlinePolicies") or []:
        client.put_role_policy(RoleName=name, PolicyName=each["name"], PolicyDocument=each["policy"])
    return name, {"arn": made["Arn"], "uniqueId": made["RoleId"], "name": name}


@creates("aws:iam/rolePolicy:RolePolicy")
def role_policy(moto: Moto, inputs: Inputs) -> Created:
    json.loads(inputs["policy"])
    moto.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{inputs['name']}", {}


@creates("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
def attachment(moto: Moto, inputs: Inputs) -> Created:
    moto.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}:{inputs['policyArn']}", {}


@creates("aws:cloudwatch/logGroup:LogGroup")
def log_group(moto: Moto, inputs: Inputs) -> Created:
    client, name = moto.client("logs"), inputs["name"]
    client.create_log_group(
        logGroupName=name, **taken(inputs, "kmsKeyId") and {"kmsKeyId": inputs["kmsKeyId"]}
    )
    if inputs.get("retentionInDays"):
        client.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    return name, {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"}


def placeholder() -> bytes:
    """A zip for moto's catalogue: what really runs is the declared archive, unpacked beside it."""
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr("declared.txt", "unpacked and run by tests/cloud/functions.py")
    return content.getvalue()


@creates("aws:lambda/function:Function")
def function(moto: Moto, inputs: Inputs) -> Created:
    client, name = moto.client("lambda"), inputs["name"]
    made = client.create_function(
        FunctionName=name,
        Role=inputs["role"],
        Handler=inputs["handler"],
        Runtime=inputs["runtime"],
        Code={"ZipFile": placeholder()},
        Timeout=int(inputs.get("timeout", 3)),
        MemorySize=int(inputs.get("memorySize", 128)),
        Environment={"Variables": strings((inputs.get("environment") or {}).get("variables") or {})},
        Architectures=inputs.get("architectures") or ["x86_64"],
        TracingConfig=pascal(inputs.get("tracingConfig") or {"mode": "PassThrough"}),
        **({"KMSKeyArn": inputs["kmsKeyArn"]} if inputs.get("kmsKeyArn") else {}),
    )
    reserved = inputs.get("reservedConcurrentExecutions")
    if reserved is not None and reserved >= 0:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
    return name, {"arn": made["FunctionArn"], "invokeArn": uri, "version": "$LATEST"}


@creates("aws:lambda/permission:Permission")
def permission(moto: Moto, inputs: Inputs) -> Created:
    name = inputs.get(
        "statementId", f"{inputs['principal']}-{abs(hash(str(inputs.get('sourceArn'))))}".replace(".", "-")
    )
    moto.client("lambda").add_permission(
        FunctionName=str(inputs["function"]),
        StatementId=name,
        **taken(inputs, "action", "principal", "sourceArn", "sourceAccount"),
    )
    return name, {}


@creates("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
def invoke_config(moto: Moto, inputs: Inputs) -> Created:
    chosen = taken(inputs, "maximumEventAgeInSeconds", "maximumRetryAttempts", "destinationConfig")
    if "MaximumRetryAttempts" in chosen:
        chosen["MaximumRetryAttempts"] = int(chosen["MaximumRetryAttempts"])
    moto.client("lambda").put_function_event_invoke_config(FunctionName=str(inputs["functionName"]), **chosen)
    return str(inputs["functionName"]), {}


@creates("aws:lambda/eventSourceMapping:EventSourceMapping")
def event_source(moto: Moto, inputs: Inputs) -> Created:
    chosen: dict[str, Any] = taken(
        inputs, "eventSourceArn", "batchSize", "maximumBatchingWindowInSeconds", "functionResponseTypes",
        "scalingConfig",
    )  # fmt: skip
    for name in ("BatchSize", "MaximumBatchingWindowInSeconds"):
        if name in chosen:
            chosen[name] = int(chosen[name])
    if "ScalingConfig" in chosen:
        chosen["ScalingConfig"] = {name: int(value) for name, value in chosen["ScalingConfig"].items()}
    made = moto.client("lambda").create_event_source_mapping(
        FunctionName=str(inputs["functionName"]), Enabled=inputs.get("enabled", True), **chosen
    )
    return made["UUID"], {"uuid": made["UUID"], "functionArn": made["FunctionArn"]}
