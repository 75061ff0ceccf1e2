"""Reports in the making, in S3: the table as an unfinished upload, the rest beside the report.

`reports/YYYY-MM-DD/.parts/draft` holds how far the report has come and which parts of the table were sent;
`reports/YYYY-MM-DD/.parts/tally`, what the finished day amounts to.
"""

from __future__ import annotations

import gzip
from base64 import b64decode, b64encode
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from shroff.adapters.aws.clients import code_of, translate
from shroff.adapters.aws.reports import FOLDER, key_of
from shroff.adapters.aws.uploads import Upload
from shroff.core.errors import Retryable

_GONE = {"NoSuchUpload", "InvalidPart"}


class S3Drafts:
    """Answers Drafts."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def open(self, date: str, name: str) -> S3Draft:
        """The draft as it was saved last, or an empty one."""
        return S3Draft(Upload(s3=self._s3, bucket=self._bucket, key=key_of(date, name)), date)

    def tally(self, date: str) -> bytes | None:
        """What a finished day amounts to."""
        return _read(self._s3, self._bucket, _aside(date, "tally"))


class S3Draft:
    """Answers Draft for one day. Raises Retryable where another run has ended it: then it begins anew."""

    def __init__(self, upload: Upload, date: str) -> None:
        self._upload, self._date = upload, date
        self.progress: bytes | None = None
        """What was saved last."""
        saved = self._read()
        if saved is not None:
            self.progress = saved["progress"].encode()
            upload.upload_id, upload.etags = saved["upload_id"], saved["etags"]
            upload.tail = bytearray(b64decode(saved["tail"]))

    def write(self, rows: bytes) -> None:
        """Go on with the table."""
        try:
            self._upload.write(rows)
        except ClientError as error:
            raise self._lost(error) from error

    def save(self, progress: bytes) -> None:
        """Keep which parts were sent, what is not yet a part, and the progress: one object."""
        upload = self._upload
        saved = {
            "upload_id": upload.upload_id,
            "etags": upload.etags,
            "tail": b64encode(upload.tail).decode(),
            "progress": progress.decode(),
        }
        self._put("draft", msgspec.json.encode(saved))
        self.progress = progress

    def finish(self, tally: bytes) -> str:
        """Put the table in its place, keep the tally, forget the draft."""
        self._put("tally", tally)
        try:
            place = self._upload.complete()
        except ClientError as error:
            raise self._lost(error) from error
        self._forget()
        return place

    def _lost(self, error: Exception) -> Exception:
        """What to raise where S3 refused: a draft whose upload is over is of no use any more."""
        if code_of(error) not in _GONE:
            return error
        saved = self._read()
        if saved is not None and saved["upload_id"] == self._upload.upload_id:
            self._forget()
        return Retryable(f"the draft of {self._date} was ended by another run; it is made anew")

    def _read(self) -> dict[str, Any] | None:
        kept = _read(self._upload.s3, self._upload.bucket, _aside(self._date, "draft"))
        return None if kept is None else msgspec.json.decode(kept, type=dict[str, Any])

    def _put(self, name: str, content: bytes) -> None:
        packed = gzip.compress(content, compresslevel=1, mtime=0)
        with translate(f"keeping the {name} of the report of {self._date}"):
            self._upload.s3.put_object(Bucket=self._upload.bucket, Key=_aside(self._date, name), Body=packed)

    def _forget(self) -> None:
        self._upload.s3.delete_object(Bucket=self._upload.bucket, Key=_aside(self._date, "draft"))


def _aside(date: str, name: str) -> str:
    return f"{FOLDER}/{date}/.parts/{name}"


def _read(s3: Any, bucket: str, key: str) -> bytes | None:
    try:
        with translate(f"reading {key}"):
            return gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        # Without the permission to list, S3 says AccessDenied of what is not there: the role may list.
        if code_of(error) == "NoSuchKey":
            return None
        raise
