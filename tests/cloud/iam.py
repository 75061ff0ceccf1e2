"""Evaluates roles' policies against the resources that a request touches.

moto checks a request's signature, finds the caller's policies and compares actions. It asks for the
resource "*", so that a statement about one table never matches; it ignores conditions of roles, needs no
key permission, and does not know that a transaction asks for the permissions of its items. So its last step
is replaced by this one; what it finds out before (who asks, with a valid signature, for what) stays.

Still not checked, here or by moto: permission boundaries, organisation policies, resource policies other
than the key's, session policies, PassRole when a function is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.awsrequest import AWSRequest
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import IAMRequestBase, PermissionResult
from moto.kms.models import kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

ACCOUNT = DEFAULT_ACCOUNT_ID
READ, WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")
KEY_ACTIONS = {
    "dynamodb": READ,  # of the table's key, by the caller's authority, whatever is done to items
    "sqs:SendMessage": WRITE,
    "sqs:ReceiveMessage": READ,
    "sns:Publish": WRITE,
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:PutObject of a part": WRITE,
    "s3:GetObject": READ,
}
"""What AWS documents that the caller must be allowed to do with the key of the queue, topic, bucket or
table.
"""

_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}

Wanted = tuple[str, str]

ASKED: set[str] = set()
"""Every action that was asked for by a role."""

REFUSED: list[str] = []
"""Who was refused what, in order."""

_signed = IAMRequestBase._create_aws_request


def mend() -> None:
    """Replace moto's comparison of actions by ours."""
    IAMRequestBase.check_action_permitted = check  # type: ignore[method-assign]
    IAMRequestBase._create_aws_request = signed  # type: ignore[method-assign]
    FakeBucket.get_permission = bucket_allows  # type: ignore[method-assign]


def bucket_allows(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the bucket's own policy says; loopback stands for TLS, which moto's answer to conditions does
    not know.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    statements = [each for each in as_list(json.loads(self.policy)["Statement"]) if each["Effect"] == "Deny"]
    denials = [{**each, "Effect": "Allow"} for each in statements]
    denied = permitted([{"Statement": denials}], action, resource, {"aws:SecureTransport": "true"})
    return PermissionResult.DENIED if denied else PermissionResult.NEUTRAL


def signed(self: IAMRequestBase) -> AWSRequest:
    """The request as its sender signed it: moto takes the headers for the body where there is none."""
    data = self._data
    if "form" not in self._headers.get("Content-Type", ""):
        self._data = {}
    try:
        request: AWSRequest = _signed(self)
        return request
    finally:
        self._data = data


def check(self: IAMRequestBase, resource: str) -> None:
    """Let the request pass, or raise the service's own AccessDenied."""
    if self._action == "sts:GetCallerIdentity":
        return
    policies = [json.loads(text(policy)) for policy in self._access_key.collect_policies()]
    for action, arn in wanted(self):
        ASKED.add(action)
        if not permitted(policies, action, arn, context_of(self, action)):
            refuse(self, f"{action} on resource: {arn}")
        for key_action in key_actions(self, action):
            ASKED.add(key_action)
            key, context = (
                key_of(self, arn),
                {"kms:ViaService": f"{self._service}.{self._region}.amazonaws.com"},
            )
            if key is not None and not key_permitted(policies, key_action, key, context, self._access_key):
                refuse(self, f"{key_action} on resource: {key.arn} (for {action})")


def refuse(request: IAMRequestBase, what: str) -> None:
    """As the service says it: moto answers in XML, whatever the caller speaks."""
    REFUSED.append(f"{request._access_key.arn.split('/')[-2]}: {what}")
    if request._service in ("dynamodb", "kms", "lambda", "logs", "sqs"):
        who = request._access_key.arn
        raise JsonRESTError("AccessDeniedException", f"User: {who} is not authorized to perform: {what}")
    request._action = what
    request._raise_access_denied()


def text(policy: Any) -> str:
    """The document of an inline policy, or of the version in force of a managed one."""
    if isinstance(policy, str):
        return policy
    if isinstance(policy, dict):
        return str(policy["policy_document"])
    return str(next(version.document for version in policy.versions if version.is_default))


def permitted(policies: list[Any], action: str, arn: str, context: Mapping[str, str]) -> bool:
    """Whether a statement allows it and none denies it."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in as_list(policy["Statement"])
        if matches(as_list(statement["Action"]), action)
        and matches(as_list(statement["Resource"]), arn)
        and holds(statement.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def key_permitted(policies: list[Any], action: str, key: Any, context: Mapping[str, str], who: Any) -> bool:
    """A key's own policy may name the role, or leave it to the account's policies."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{getattr(who, '_owner_role_name', '')}"
    root = f"arn:aws:iam::{ACCOUNT}:root"
    own = [
        {**statement, "Resource": key.arn}
        for statement in as_list(json.loads(key.policy)["Statement"])
        if isinstance(statement.get("Principal"), dict)
    ]
    by_role = [each for each in own if role in as_list(each["Principal"].get("AWS", []))]
    by_root = [each for each in own if root in as_list(each["Principal"].get("AWS", []))]
    if permitted([{"Statement": by_role}], action, key.arn, context):
        return True
    left = permitted([{"Statement": by_root}], action, key.arn, context)
    return left and permitted(policies, action, key.arn, context)


def matches(patterns: list[str], value: str) -> bool:
    return any(fnmatchcase(value.lower(), pattern.lower().replace("[", "[[]")) for pattern in patterns)


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Whether every condition holds; one that cannot be checked here is an error, not a pass."""
    for operator, operands in conditions.items():
        kind = operator.removesuffix("IfExists")
        if kind not in ("StringEquals", "StringLike", "ArnLike", "ArnEquals", "Bool"):
            raise NotImplementedError(f"The local cloud cannot check the condition {operator}")
        for name, values in operands.items():
            absent = name not in context
            if absent and kind != operator:
                continue
            if absent or not matches(as_list(values), context[name]):
                return False
    return True


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def wanted(request: IAMRequestBase) -> Iterator[Wanted]:
    """Each (action, resource) that AWS asks for when it gets this request."""
    service, region = request._service, request._region
    action = request._action.partition(":")[2]
    members = members_of(request)
    base = f"arn:aws:{service}:{region}:{ACCOUNT}"
    if service == "dynamodb":
        yield from of_tables(base, action, members)
    elif service == "sqs":
        queue = str(members.get("QueueUrl", members.get("QueueName", "*"))).rsplit("/", 1)[-1]
        yield f"sqs:{action.removesuffix('Batch')}", f"{base}:{queue}"
    elif service == "s3":
        yield from of_bucket(request, action)
    elif service == "sns":
        yield f"sns:{action.removesuffix('Batch')}", first(members, "TopicArn", "*")
    elif service == "lambda":
        found = re.search(r"/functions/([^/?]+)", unquote(request._path))
        name = found[1].rsplit(":", 1)[-1] if found else "*"
        yield f"lambda:{'InvokeFunction' if action == 'Invoke' else action}", f"{base}:function:{name}"
    elif service == "logs":
        group, stream = members.get("logGroupName", "*"), members.get("logStreamName")
        yield f"logs:{action}", f"{base}:log-group:{group}" + (f":log-stream:{stream}" if stream else ":*")
    elif service == "xray":  # moto knows these two by their addresses
        yield f"xray:{action if action.startswith('Put') else 'Put' + action}", "*"
    elif service == "monitoring":
        yield f"cloudwatch:{action}", "*"
    else:
        yield request._action, "*"


def members_of(request: IAMRequestBase) -> dict[str, Any]:
    body: Any = request._body
    if body and body[:1] in (b"{", "{"):
        parsed: dict[str, Any] = json.loads(body)
        return parsed
    return dict(request._data)


def first(members: Mapping[str, Any], name: str, default: str) -> str:
    return str(as_list(members.get(name, default))[0])


def of_tables(base: str, action: str, members: Mapping[str, Any]) -> Iterator[Wanted]:
    if action == "TransactWriteItems":
        for item in members["TransactItems"]:
            kind, act = next(iter(item.items()))
            yield f"dynamodb:{_ITEM_ACTIONS[kind]}", f"{base}:table/{act['TableName']}"
    elif action == "TransactGetItems":
        for item in members["TransactItems"]:
            yield "dynamodb:GetItem", f"{base}:table/{item['Get']['TableName']}"
    elif "RequestItems" in members:
        for table in members["RequestItems"]:
            yield f"dynamodb:{action}", f"{base}:table/{table}"
    else:
        index = f"/index/{members['IndexName']}" if "IndexName" in members else ""
        yield f"dynamodb:{action}", f"{base}:table/{members.get('TableName', '*')}{index}"


def of_bucket(request: IAMRequestBase, action: str) -> Iterator[Wanted]:
    bucket, _, key = unquote(request._path.partition("?")[0]).lstrip("/").partition("/")
    place = f"arn:aws:s3:::{bucket}"
    if action == "DeleteObject" and not key:  # many at once, named in the body
        named = re.findall(r"<Key>(.*?)</Key>", str(request._body, "utf-8"))
        yield from (("s3:DeleteObject", f"{place}/{each}") for each in named)
        return
    yield f"s3:{action}", f"{place}/{key}" if key else place
    if source := request._headers.get("x-amz-copy-source"):
        yield "s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/').partition('?')[0]}"
    if action == "GetObject" and key and not exists(bucket, key):
        yield "s3:ListBucket", place  # without it AWS does not say that a key is missing, but refuses


def exists(bucket: str, key: str) -> bool:
    buckets = s3_backends[ACCOUNT]["aws"].buckets
    return bucket in buckets and key in buckets[bucket].keys


def context_of(request: IAMRequestBase, action: str) -> dict[str, str]:
    """What conditions may ask of the request: a listing's prefix, which no other request of S3 carries."""
    query = parse_qs(request._path.partition("?")[2], keep_blank_values=True)
    listing = action == "s3:ListBucket" and "list-type" in query
    return {"s3:prefix": query.get("prefix", [""])[0]} if listing else {}


def key_actions(request: IAMRequestBase, action: str) -> tuple[str, ...]:
    if action == "s3:PutObject" and "uploads" in request._path.partition("?")[2].lower():
        return KEY_ACTIONS["s3:PutObject of a part"]
    if action == "s3:PutObject" and "uploadid" in request._path.lower():
        return KEY_ACTIONS["s3:PutObject of a part"]
    return KEY_ACTIONS.get(action, KEY_ACTIONS.get(request._service, ()))


def key_of(request: IAMRequestBase, arn: str) -> Any:
    """The customer's key that encrypts the resource; None for AWS's own."""
    return customer_key(key_id(request._service, request._region, arn), request._region)


def key_id(service: str, region: str, arn: str) -> str | None:
    name = arn.rsplit(":", 1)[-1]
    if service == "dynamodb":
        table = dynamodb_backends[ACCOUNT][region].tables.get(name.split("/")[1])
        return ((table.sse_specification or {}).get("KMSMasterKeyId")) if table else None
    if service == "sqs":
        queue = sqs_backends[ACCOUNT][region].queues.get(name)
        return getattr(queue, "kms_master_key_id", None)
    if service == "sns":
        topic = sns_backends[ACCOUNT][region].topics.get(arn)
        return topic.kms_master_key_id if topic else None
    if service == "s3":
        bucket = s3_backends[ACCOUNT]["aws"].buckets.get(name.partition("/")[0])
        rule = as_list(((bucket.encryption if bucket else None) or {}).get("Rule", {}))[0]
        found = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        return str(found) if found else None
    return None


def customer_key(identifier: str | None, region: str) -> Any:
    if not identifier:
        return None
    backend = kms_backends[ACCOUNT][region]
    try:
        key = backend.describe_key(backend.any_id_to_key_id(identifier))
    except KeyError:
        return None
    return None if any(name.startswith("alias/aws/") for name in key.aliases) else key
