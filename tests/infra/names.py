"""What AWS takes as a name, which Pulumi's mocks and the local cloud take as it comes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.infra.declared import World

_WORD = r"[A-Za-z0-9_-]"
SHAPES: dict[str, tuple[str, str]] = {
    "apigateway.Model": ("name", r"[A-Za-z0-9]+"),
    "cloudwatch.Dashboard": ("dashboardName", _WORD + "{1,255}"),
    # The colon is in the ids of the mocks, one of which is in a name.
    "cloudwatch.LogGroup": ("name", r"[A-Za-z0-9_/.#:-]{1,512}"),
    "cloudwatch.MetricAlarm": ("name", r"[ -~]{1,255}"),
    "dynamodb.Table": ("name", r"[A-Za-z0-9_.-]{3,255}"),
    "iam.Role": ("name", r"[A-Za-z0-9+=,.@_-]{1,64}"),
    "iam.RolePolicy": ("name", r"[A-Za-z0-9+=,.@_-]{1,128}"),
    "kms.Alias": ("name", r"alias/[A-Za-z0-9/_-]{1,250}"),
    "lambda.Function": ("name", _WORD + "{1,64}"),
    # Pulumi makes it from the name in the program where it is not given, spaces and slashes included.
    "lambda.Permission": ("statementId", _WORD + "{1,100}"),
    "s3.Bucket": ("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "scheduler.Schedule": ("name", r"[A-Za-z0-9_.-]{1,64}"),
    "scheduler.ScheduleGroup": ("name", r"[A-Za-z0-9_.-]{1,64}"),
    "sns.Topic": ("name", _WORD + "{1,256}"),
    "sqs.Queue": ("name", _WORD + "{1,80}"),
}
"""Kind → the member that names it, and what AWS takes there."""


def names_are_what_aws_takes(world: World) -> Iterator[str]:
    """Every resource of these kinds has a name of its own that AWS takes."""
    for resource in world.all(*SHAPES):
        member, shape = SHAPES[resource.kind]
        name = resource.given.get(member)
        if name is None and resource.kind == "iam.Role":
            # AWS puts 26 characters behind a prefix.
            member, shape = "namePrefix", r"[A-Za-z0-9+=,.@_-]{1,38}"
            name = resource.given.get(member)
        if not isinstance(name, str) or not re.fullmatch(shape, name):
            yield f"{resource.kind} {resource.name}: {member} {name!r}"
