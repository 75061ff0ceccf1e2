"""The parts of entities as items of the state table."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from shroff.adapters.aws.attributes import Item, data, integer, number, text
from shroff.ports import Part

MOST_SHARDS = 32
_LONGEST = 1_000
"""Bytes of a key that stands in the item's key as it is; DynamoDB takes 2,048 with all that is before it."""


def part_key(generation: str, entity: str, key: str, place: int) -> Item:
    """The key of one part of an entity."""
    kind = "entity"
    if len(key.encode()) > _LONGEST:
        kind, key = "long", blake2b(key.encode(), digest_size=20).hexdigest()
    # By its place too: items of one partition key share a partition, and that is what a hot entity fills.
    apart = f"#{place:02d}" if place else ""
    return {"pk": text(f"{kind}#{generation}#{entity}#{key}{apart}"), "sk": text(f"{place:02d}")}


def shards_of(item: Item | None) -> int:
    """In how many parts an entity is kept, by the first of them."""
    return 1 if item is None else integer(item, "shards", 1)


def part_of(entity: str, key: str, items: Sequence[Item | None]) -> Part:
    """An entity of which these are all parts, one of them, by chance, ours."""
    place = random.randrange(len(items))  # noqa: S311 - no secret
    ours = items[place]
    others = (item for at, item in enumerate(items) if at != place and item is not None)
    return Part(
        entity=entity,
        key=key,
        place=place,
        version=0 if ours is None else integer(ours, "version"),
        clock=max((integer(item, "clock") for item in items if item is not None), default=0),
        state=None if ours is None or "state" not in ours else ours["state"]["B"],
        others=tuple(item["state"]["B"] for item in others if "state" in item),
    )


def part_item(key: Item, state: bytes, *, version: int, clock: int, expires_at: int) -> Item:
    """A whole entity in one part."""
    return {
        **key,
        "state": data(state),
        "version": number(version),
        "clock": number(clock),
        "expires_at": number(expires_at),
    }


def part_update(key: Item, part: Part, state: bytes, clock: int, expires_at: int) -> dict[str, Any]:
    """The write of a part's new state, where nobody else has written to it since it was read.

    An update, not a put: into how many parts the entity is split is not ours to write.
    """
    values = {":clock": number(clock), ":expires": number(expires_at), ":state": data(state)}
    values |= {":next": number(part.version + 1)}
    if part.version:
        condition, values = "#version = :version", values | {":version": number(part.version)}
    else:
        condition = "attribute_not_exists(#version)"
    return {
        "Key": key,
        "UpdateExpression": "SET #state = :state, #version = :next, #clock = :clock, #expires = :expires",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {
            "#state": "state",
            "#version": "version",
            "#clock": "clock",
            "#expires": "expires_at",
        },
        "ExpressionAttributeValues": values,
    }


def split_update(key: Item, shards: int) -> dict[str, Any]:
    """The write that doubles an entity's parts, where nobody has done so since `shards` was read."""
    unsplit = "attribute_not_exists(#shards)" if shards == 1 else "#shards = :shards"
    return {
        "Key": key,
        "UpdateExpression": "SET #shards = :doubled",
        "ConditionExpression": f"attribute_exists(pk) AND {unsplit}",
        "ExpressionAttributeNames": {"#shards": "shards"},
        "ExpressionAttributeValues": {":doubled": number(2 * shards)}
        | ({} if shards == 1 else {":shards": number(shards)}),
    }
