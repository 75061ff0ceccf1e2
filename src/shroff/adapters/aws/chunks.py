"""Sealed windows in S3: `chunks/v1/YYYY-MM-DD/HHMM-PPPP-DIGEST.ndjson.gz`, and `HHMM.json` to name the parts.

A part is never written over: its name has its content's digest. The manifest is written last and in one
piece, so a reader meets one sealing or the next and never half of one; what it no longer names is deleted.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from shroff.adapters.aws.chunk_lines import packed, unpacked
from shroff.adapters.aws.clients import code_of, translate
from shroff.codec import encode
from shroff.core.errors import Contended, Damaged, Fault
from shroff.ports import SEALED, Record

MOST = 50_000
"""Records of a part."""

_ROOT = "chunks/v1/"
_ABSENT = frozenset({"NoSuchKey", "404"})
_COLD = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Where a lifecycle may have put parts so that nobody can read them for hours."""
_CONTENDED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class Manifest(msgspec.Struct, frozen=True):
    """What a sealed window consists of."""

    start: int
    records: int
    parts: tuple[str, ...]
    """Keys in the bucket, in order."""


_manifest = msgspec.json.Decoder(Manifest)


class S3Chunks:
    """Every record of a window, as it was when the window was sealed."""

    def __init__(self, client: Any, bucket: str, *, most: int = MOST) -> None:
        self._client, self._bucket, self._most = client, bucket, most

    def write(self, start: int, records: Iterable[Sequence[Record]]) -> int:
        """Replace a chunk; returns how many records it holds.

        Nothing of the records is read before the chunk that is there was looked at. Raises Contended
        where another one was put in its place meanwhile: that one may know more.
        """
        if start % SEALED:
            raise ValueError(f"no window begins at {start}")
        with translate("sealing a window"):
            stale = self._parts_of(start)
            before = self._find(start)
            parts, count = [], 0
            for number, (size, body) in enumerate(packed(records, self._most)):
                parts.append(self._put_part(start, number, body))
                count += size
            self._put_manifest(Manifest(start, count, tuple(parts)), before and before[1])
            self._delete(stale - {*parts})
        return count

    def read(self, start: int) -> Iterator[list[Record]] | None:
        """Its records by occurred_at, then transaction_id; None where it was never sealed.

        A window that is sealed again while it is read is read on from where the reader is.
        """
        with translate("reading a sealed window"):
            found = self._find(start)
        return None if found is None else self._records(found[0])

    def windows(self, start: int, end: int) -> Iterator[int]:
        """Where the sealed windows begin that begin at start <= moment < end, in order; none that is cold."""
        cold = None
        for each in self._listed(start):
            window = _window(each["Key"])
            if each.get("StorageClass") in _COLD:
                cold = _stem(each["Key"])
            if window is None or window < start or _stem(each["Key"]) == cold:
                continue
            if window >= end:
                return
            yield window

    def _listed(self, start: int) -> Iterator[dict[str, Any]]:
        """All objects from a window on: of each the parts, then the manifest."""
        lister = self._client.get_paginator("list_objects_v2")
        pages = iter(lister.paginate(Bucket=self._bucket, Prefix=_ROOT, StartAfter=_name(start)))
        while True:
            with translate("looking for sealed windows"):
                page = next(pages, None)
            if page is None:
                return
            yield from page.get("Contents", ())

    def _records(self, manifest: Manifest) -> Iterator[list[Record]]:
        after = (-1, "")
        while True:
            try:
                for part in manifest.parts:
                    for records in unpacked(self._get(part)):
                        ahead = [each for each in records if _place(each) > after]
                        if ahead:
                            after = _place(ahead[-1])
                            yield ahead
                return
            except FileNotFoundError as error:
                with translate("reading a sealed window"):
                    newer = self._find(manifest.start)
                if newer is None or newer[0] == manifest:
                    raise Damaged([Fault("chunk", f"a part is missing: {error}")]) from error
                manifest = newer[0]

    def _get(self, name: str) -> io.BytesIO:
        """A part as it is stored: compressed, so some megabytes; a slow reader holds no connection open."""
        try:
            with translate("reading a sealed window"):
                body = self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()
        except ClientError as error:
            if code_of(error) in _ABSENT:
                raise FileNotFoundError(name) from error
            if code_of(error) == "InvalidObjectState":
                raise Damaged([Fault("chunk", f"{name} is archived: restore it first")]) from error
            raise
        return io.BytesIO(body)

    def _find(self, start: int) -> tuple[Manifest, str] | None:
        """The manifest with its ETag."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=_name(start) + ".json")
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise
        return _manifest.decode(found["Body"].read()), found["ETag"]

    def _put_part(self, start: int, number: int, body: bytes) -> str:
        digest = blake2b(body, digest_size=8).hexdigest()
        name = f"{_name(start)}-{number:04d}-{digest}.ndjson.gz"
        self._client.put_object(Bucket=self._bucket, Key=name, Body=body, ContentType="application/gzip")
        return name

    def _put_manifest(self, manifest: Manifest, before: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": before}
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=_name(manifest.start) + ".json",
                Body=encode(manifest),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if code_of(error) in _CONTENDED:
                raise Contended(f"the window at {manifest.start} was sealed by another meanwhile") from error
            raise

    def _parts_of(self, start: int) -> set[str]:
        """All parts that there are of a window, of whichever sealing."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=_name(start) + "-"
        )
        return {each["Key"] for page in pages for each in page.get("Contents", ())}

    def _delete(self, names: set[str]) -> None:
        ordered = sorted(names)
        for at in range(0, len(ordered), 1_000):
            objects = [{"Key": name} for name in ordered[at : at + 1_000]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})


def _name(start: int) -> str:
    return f"{_ROOT}{datetime.fromtimestamp(start // 1_000, UTC):%Y-%m-%d/%H%M}"


def _stem(name: str) -> str:
    """What the names of a window's objects begin with."""
    return name[: len(_ROOT) + len("YYYY-MM-DD/HHMM")]


def _window(name: str) -> int | None:
    """Where the window of a manifest begins; None for what is no manifest."""
    if not name.endswith(".json"):
        return None
    begins = datetime.strptime(name[len(_ROOT) : -len(".json")], "%Y-%m-%d/%H%M").replace(tzinfo=UTC)
    return int(begins.timestamp()) * 1_000


def _place(record: Record) -> tuple[int, str]:
    return record.transaction.occurred_at, record.transaction.transaction_id
