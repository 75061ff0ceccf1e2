"""What creates each type of resource, by the type's name in the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.cloud.process import Moto

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]
"""Its id, and the attributes that AWS gives it besides what was declared."""

Creator = Callable[[Moto, Inputs], Created]

CREATORS: dict[str, Creator] = {}


def creates(kind: str) -> Callable[[Creator], Creator]:
    """Registers the creator of a type such as `aws:sqs/queue:Queue`."""

    def register(creator: Creator) -> Creator:
        CREATORS[kind] = creator
        return creator

    return register


def pascal(value: Any) -> Any:
    """A program's camelCase members as boto3 wants them; names that are data must not pass here."""
    if isinstance(value, list):
        return [pascal(each) for each in value]
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: pascal(each) for name, each in value.items() if each is not None}
    return value


def taken(inputs: Inputs, *names: str) -> dict[str, Any]:
    """Those of the members that are given, as boto3 wants them."""
    return {
        name[:1].upper() + name[1:]: pascal(inputs[name]) for name in names if inputs.get(name) is not None
    }


def strings(values: Mapping[str, Any]) -> dict[str, str]:
    """Attributes as SQS and SNS want them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }
