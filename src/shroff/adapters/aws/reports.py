"""Daily reports in S3: reports/YYYY-MM-DD/NAME."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from shroff.adapters.aws.clients import code_of, translate
from shroff.adapters.aws.uploads import Upload

FOLDER = "reports"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class S3Reports:
    """Answers Reports with a bucket; a reader meets an old file or a new one, never half of one."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def write(self, date: str, files: Mapping[str, Iterable[bytes]]) -> list[str]:
        """Send all files, then put them in place. The bucket's lifecycle removes what was not finished."""
        uploads = []
        for name, parts in files.items():
            upload = Upload(s3=self._s3, bucket=self._bucket, key=key_of(date, name))
            for part in parts:
                upload.write(part)
            uploads.append(upload)
        return [upload.complete() for upload in uploads]

    def read(self, date: str, name: str) -> bytes | None:
        """A file of one day; None where there is none."""
        key = key_of(date, name)
        try:
            with translate(f"reading {key}"):
                found: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            # Without the permission to list, S3 says AccessDenied of what is not there: the role may list.
            if code_of(error) == "NoSuchKey":
                return None
            raise
        return found


def key_of(date: str, name: str) -> str:
    """Where a day's file is in the bucket."""
    if not _DATE.fullmatch(date) or not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a report: {date} {name}")
    return f"{FOLDER}/{date}/{name}"
