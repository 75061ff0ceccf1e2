"""The one place that makes clients of AWS's services, and that says which of their failures will pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from shroff.core.errors import Retryable

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=50,
    user_agent_extra="shroff",
)

_THROTTLED = frozenset(
    (
        "BandwidthLimitExceeded",
        "KMS.ThrottlingException",  # as SQS and S3 say it where the key is asked too much
        "KMSThrottling",
        "KMSThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)
"""Codes by which AWS says that it is asked too much at once."""

_PASSING = _THROTTLED | frozenset(
    (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "TransactionConflictException",
        "TransactionInProgressException",
    )
)
"""Codes of errors that another attempt may not meet."""


class Throttled(Retryable):
    """AWS is asked too much at once, often by others."""


class Clients:
    """Clients of AWS's services, each made when it is first asked for.

    With a `read_timeout`, in seconds, for who has half a minute: a call has two attempts of that and a second
    each, and a second between them; then whoever asked asks again.
    """

    def __init__(self, session: Any = None, *, read_timeout: int | None = None) -> None:
        self._session = session or boto3.Session()
        self._config = _CONFIG if read_timeout is None else _CONFIG.merge(_hurried(read_timeout))

    @cached_property
    def dynamodb(self) -> Any:
        """Tables."""
        return self._make("dynamodb")

    @cached_property
    def sqs(self) -> Any:
        """Queues."""
        return self._make("sqs")

    @cached_property
    def s3(self) -> Any:
        """Buckets."""
        return self._make("s3")

    @cached_property
    def sns(self) -> Any:
        """Topics."""
        return self._make("sns")

    @cached_property
    def sts(self) -> Any:
        """Whose account this is."""
        return self._make("sts")

    @cached_property
    def functions(self) -> Any:
        """Lambda functions."""
        return self._make("lambda")

    def _make(self, service: str) -> Any:
        return self._session.client(service, config=self._config)


def _hurried(read_timeout: int) -> Config:
    retries = {"mode": "standard", "total_max_attempts": 2}
    return Config(connect_timeout=1, read_timeout=read_timeout, retries=retries)


@contextmanager
def translate(act: str) -> Iterator[None]:
    """Raise Retryable for what may pass: throttling, an error of the service, no answer in time.

    Anything else propagates: a missing permission or a wrong request is no weather.
    """
    try:
        yield
    except (exceptions.ConnectionError, HTTPClientError) as error:
        raise Retryable(f"{act}: AWS did not answer: {error}") from error
    except ClientError as error:
        if not passes(error):
            raise
        kind = Throttled if code_of(error) in _THROTTLED else Retryable
        raise kind(f"{act}: {code_of(error)}: {error.response['Error'].get('Message', '')}") from error


def passes(error: ClientError) -> bool:
    """Whether another attempt may not meet this error."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in _PASSING or status >= 500


def code_of(error: ClientError) -> str:
    """The service's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))
