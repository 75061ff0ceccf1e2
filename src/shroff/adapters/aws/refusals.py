"""What AWS refuses for good, as a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as refused

from shroff.adapters.aws.clients import code_of, passes
from shroff.core.errors import Fault, Rejected, Retryable

_SUFFIX = re.compile(r"[a-z0-9](-?[a-z0-9]){0,19}")
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDeniedException"}
_UNKNOWN = {
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
_MISSING = {
    "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "NotFoundException", "QueueDoesNotExist",
    "ResourceNotFoundException",
}  # fmt: skip


@contextmanager
def explained(suffix: str) -> Iterator[None]:
    """Raise Rejected for what AWS will refuse again, Retryable where no answer came."""
    if not _SUFFIX.fullmatch(suffix):
        raise _rejected(
            f'"{suffix}" cannot be the suffix of a stack: it is small letters, digits and hyphens'
        )
    try:
        yield
    except (refused.NoCredentialsError, refused.PartialCredentialsError):
        raise _rejected(
            "no AWS credentials were found: name a profile in AWS_PROFILE, or run `aws configure`"
        ) from None
    except refused.ProfileNotFound as error:
        raise _rejected(f"{error}: name one that exists in AWS_PROFILE") from None
    except refused.NoRegionError:
        raise _rejected("no AWS region is set: name the one of the stack in AWS_DEFAULT_REGION") from None
    except (refused.ConnectionError, refused.HTTPClientError) as error:
        raise Retryable(f"AWS did not answer: {error}") from error
    except refused.ClientError as error:
        raise _explained(error, suffix) from error
    except refused.BotoCoreError as error:
        raise _rejected(f"AWS cannot be asked: {error}") from error


def _explained(error: refused.ClientError, suffix: str) -> Exception:
    code, said = code_of(error), error.response.get("Error", {}).get("Message", "")
    if passes(error):
        return Retryable(f"{error.operation_name}: {code}: {said}")
    if code in _DENIED:
        return _rejected(f"these AWS credentials may not do that: {error.operation_name}: {said}")
    if code in _UNKNOWN:
        return _rejected(f"AWS does not accept these credentials ({code}): get new ones, then try again")
    if code in _MISSING:
        return _rejected(
            f'no stack "{suffix}" was found in this account and region: check --suffix, AWS_PROFILE and'
            f" AWS_DEFAULT_REGION ({error.operation_name}: {said})"
        )
    same: Exception = error
    return same


def _rejected(sentence: str) -> Rejected:
    return Rejected([Fault("aws", sentence)])
