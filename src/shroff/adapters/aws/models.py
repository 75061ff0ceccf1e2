"""The registry of models in DynamoDB: an item that lists a model, and others that hold its document."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from shroff.adapters.aws.shelf import Item, Shelf, key
from shroff.ports import Registration

_REGISTRY = "models"
_PIECE = 350_000
"""Bytes of a compressed document in one item, which may have 400 KB."""


class AwsModels:
    """The models that policies may name; none is ever removed.

    In the table and not in the bucket: the functions that decide read the one anyway, and not the other.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def add(self, version: str, name: str, document: bytes, at: int) -> Registration:
        """Keep a model. One that is there stays as it is, and is no longer retired.

        The document first: whoever finds a model in the list finds all of it.
        """
        for item in _pieces(version, document):
            self._shelf.put_new(item)
        new = _item(Registration(version=version, name=name, added_at=at))
        if not self._shelf.put_new(new):
            self._shelf.attempt(
                self._shelf.client.update_item,
                Key=key(_REGISTRY, version),
                UpdateExpression="REMOVE retired_at",
            )
        kept = self._shelf.get(_REGISTRY, version)
        return _registration(new if kept is None else kept)

    def document(self, version: str) -> bytes | None:
        """The document of a version, retired or not."""
        if self._shelf.get(_REGISTRY, version) is None:
            return None
        pieces = [item["document"]["B"] for item in self._shelf.under(_pk(version))]
        return zlib.decompress(b"".join(map(bytes, pieces)))

    def all(self) -> list[Registration]:
        """Oldest first; those of one moment by their version."""
        found = map(_registration, self._shelf.under(_REGISTRY))
        return sorted(found, key=lambda each: (each.added_at, each.version))

    def retire(self, version: str, at: int) -> bool:
        """False where there is no such model, or it was retired before."""
        return self._shelf.attempt(
            self._shelf.client.update_item,
            Key=key(_REGISTRY, version),
            UpdateExpression="SET retired_at = :at",
            ConditionExpression="attribute_exists(pk) AND attribute_not_exists(retired_at)",
            ExpressionAttributeValues={":at": {"N": str(at)}},
        )


def _pk(version: str) -> str:
    return f"model#{version}"


def _pieces(version: str, document: bytes) -> Iterator[Item]:
    packed = zlib.compress(document, 9)
    for number, at in enumerate(range(0, len(packed), _PIECE)):
        yield key(_pk(version), f"{number:04d}") | {"document": {"B": packed[at : at + _PIECE]}}


def _item(made: Registration) -> Item:
    return key(_REGISTRY, made.version) | {
        "model": {"S": made.name},
        "added_at": {"N": str(made.added_at)},
    }


def _registration(item: Item) -> Registration:
    retired = item.get("retired_at")
    return Registration(
        version=item["sk"]["S"],
        name=item["model"]["S"],
        added_at=int(item["added_at"]["N"]),
        retired_at=None if retired is None else int(retired["N"]),
    )
