"""The published policies in DynamoDB."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from shroff.adapters.aws.shelf import Item, Shelf
from shroff.core.errors import Fault, Rejected
from shroff.ports import Publication

_LARGEST = 380_000
"""Bytes of a compressed document: an item may have 400 KB."""


class AwsPolicies:
    """Every policy that ever was in force; the newest publication is the one that is."""

    def __init__(self, client: Any, table: str) -> None:
        self._shelf = Shelf(client, table)

    def publish(self, version: str, document: str, at: int) -> Publication:
        """Put a policy in force, also one that was in force before; whoever publishes at once comes after."""
        packed = zlib.compress(document.encode(), 9)
        if len(packed) > _LARGEST:
            raise Rejected([Fault("policy", f"the document has {len(packed)} bytes compressed: too many")])
        newest = self.active()
        number = newest.number if newest else 0
        while True:
            number += 1
            made = Publication(number=number, version=version, document=document, published_at=at)
            if self._shelf.put_new(_item(made, packed)):
                return made

    def active(self) -> Publication | None:
        """The newest publication."""
        return next(self._newest_first(limit=1), None)

    def get(self, version: str) -> Publication | None:
        """The newest publication of a version."""
        return next((each for each in self._newest_first() if each.version == version), None)

    def history(self) -> list[Publication]:
        """All publications, the first one first."""
        return list(self._newest_first())[::-1]

    def _newest_first(self, limit: int | None = None) -> Iterator[Publication]:
        yield from map(_publication, self._shelf.under("policy", backwards=True, limit=limit))


def _item(made: Publication, packed: bytes) -> Item:
    return {
        "pk": {"S": "policy"},
        "sk": {"S": f"{made.number:08d}"},
        "version": {"S": made.version},
        "document": {"B": packed},
        "published_at": {"N": str(made.published_at)},
    }


def _publication(item: Item) -> Publication:
    return Publication(
        number=int(item["sk"]["S"]),
        version=item["version"]["S"],
        document=zlib.decompress(item["document"]["B"]).decode(),
        published_at=int(item["published_at"]["N"]),
    )
