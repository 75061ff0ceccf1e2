"""Writing an object of any size to S3, in parts, with no more than one of them in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shroff.adapters.aws.clients import translate

PART = 32 * 2**20
"""Bytes; S3 takes 10,000 parts an object, so that 312 GiB fit."""

_TYPES = {"csv": "text/csv", "json": "application/json", "html": "text/html"}


@dataclass(slots=True, kw_only=True)
class Upload:
    """An object on its way; it is in the bucket, whole, once `complete` returns, and not at all before.

    Its parts are cut at the same bytes however the content comes, so that a part that is sent again is the
    same part.
    """

    s3: Any
    bucket: str
    key: str
    upload_id: str | None = None
    """None until the first part was sent; what fits in one needs no parts."""
    etags: list[str] = field(default_factory=list)
    tail: bytearray = field(default_factory=bytearray)
    """What waits to be a part."""

    def write(self, content: bytes) -> None:
        """Go on with the content."""
        self.tail += content
        while len(self.tail) > PART:
            self._send(bytes(self.tail[:PART]))
            del self.tail[:PART]

    def complete(self) -> str:
        """Put the object in its place; returns its address."""
        with translate(f"writing {self.key}"):
            if self.upload_id is None:
                self.s3.put_object(
                    Bucket=self.bucket, Key=self.key, Body=bytes(self.tail), ContentType=_type(self.key)
                )
            else:
                self._join()
        return f"s3://{self.bucket}/{self.key}"

    def _send(self, part: bytes) -> None:
        with translate(f"writing {self.key}"):
            if self.upload_id is None:
                begun = self.s3.create_multipart_upload(
                    Bucket=self.bucket, Key=self.key, ContentType=_type(self.key)
                )
                self.upload_id = begun["UploadId"]
            sent = self.s3.upload_part(**self._place(), PartNumber=len(self.etags) + 1, Body=part)
        self.etags.append(sent["ETag"])

    def _join(self) -> None:
        if self.tail:
            self._send(bytes(self.tail))
            self.tail.clear()
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(self.etags, 1)]
        self.s3.complete_multipart_upload(**self._place(), MultipartUpload={"Parts": parts})
        self.upload_id = None

    def _place(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.upload_id}


def _type(key: str) -> str:
    kind = _TYPES.get(key.rpartition(".")[2])
    return "application/octet-stream" if kind is None else f"{kind}; charset=utf-8"
