"""What the laws look at: policies, dead-letter queues, and what belongs to what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.infra.declared import Declared, World


def dead_letter_queues(world: World) -> set[str]:
    """The queues into which something is given up."""
    arns = [json.loads(each.given["redrivePolicy"])["deadLetterTargetArn"]
            for each in world.all("sqs.Queue") if each.given.get("redrivePolicy")]  # fmt: skip
    arns += [each.given["destinationConfig"]["onFailure"]["destination"]
             for each in world.all("lambda.FunctionEventInvokeConfig")]  # fmt: skip
    return {arn.rpartition(":")[2] for arn in arns}


def statements(world: World) -> Iterator[tuple[Declared, dict[str, Any]]]:
    """Every statement of every policy."""
    for resource in world.resources:
        for member in ("policy", "assumeRolePolicy"):
            if isinstance(resource.given.get(member), str):
                yield from ((resource, each) for each in resource.policy(member)["Statement"])


def is_wild(arn: str) -> bool:
    """Whether an ARN leaves open more than the objects under a prefix or the streams of a log."""
    inner = arn.removesuffix("/*").removesuffix(":*")
    streams = arn.endswith(":*") and ":log-group:/aws/lambda/" in arn
    objects = arn.endswith("/*") and ":s3:::" in arn and "/" in inner
    return "*" in inner or (arn != inner and not streams and not objects)


def function_of(world: World, source: Declared) -> Declared:
    (found,) = (
        each for each in world.all("lambda.Function") if each.given["name"] == source.given["functionName"]
    )
    return found


def arn_of(queue: Declared) -> str:
    return f"arn:aws:sqs:eu-west-3:123456789012:{queue.given['name']}"


def as_list(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
