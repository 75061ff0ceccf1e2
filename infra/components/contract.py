"""What API Gateway itself knows of the contract: routes, the body's shape, and its own answers, as data."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from infra.settings import Settings
from shroff.core.transaction import TEXTS

STAGE = "prod"
MODEL = "Transaction"

Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method on an address; whether API Gateway checks the body's shape."""

    method: Method
    path: str
    checked: bool = False

    @property
    def name(self) -> str:
        """A name for its resources."""
        return f"{self.method} {self.path}"

    @property
    def statement(self) -> str:
        """Its name in the function's policy, which takes letters, digits, hyphens and underscores only."""
        return re.sub(r"\W+", "-", self.name).strip("-")

    @property
    def pattern(self) -> str:
        """Its method and address as a permission names them, where a parameter is an asterisk."""
        return f"{STAGE}/{self.method}{'/*'.join(self.path.split('/{id}'))}"


# A batch has no model: its body is lines of JSON, and one bad line is not to refuse the others.
ROUTES = (
    Route(method="POST", path="/transactions", checked=True),
    Route(method="POST", path="/transactions/batch"),
    Route(method="GET", path="/transactions/{id}"),
    Route(method="POST", path="/decisions", checked=True),
    Route(method="POST", path="/labels"),
    Route(method="GET", path="/health"),
    Route(method="GET", path="/ready"),
)

_SCALAR = ["string", "number", "boolean", "null"]
_DECIMAL = r"^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_TEXT = {"type": "string", "maxLength": 64, "pattern": _DECIMAL}

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": MODEL,
    "type": "object",
    "required": ["transaction_id", "amount", "timestamp"],
    "properties": {
        "transaction_id": {"type": "string", "minLength": 1, "maxLength": 128},
        "amount": {"anyOf": [{"type": "number"}, _TEXT]},
        "timestamp": {"type": "number"},
        "currency": {"type": ["string", "null"]},
        **{name: {"type": ["string", "null"], "maxLength": 256} for name in TEXTS},
        "latitude": {"type": ["number", "null"]},
        "longitude": {"type": ["number", "null"]},
    },
    "additionalProperties": {"type": _SCALAR},
}
"""The shape of a transaction: required members and types.

It refuses nothing that Shroff accepts. Values (a positive amount, plausible
seconds) are left to Shroff, whose sentences say more than a schema's.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that API Gateway gives without asking the function."""

    kind: str
    status: int | None
    """None leaves each answer of the kind the status that it has."""
    error: str
    """A sentence, or a variable of API Gateway, of which `messageString` alone comes quoted."""
    retry_after: int | None = None

    @property
    def template(self) -> str:
        """The contract's shape."""
        said = self.error if "$context" in self.error else json.dumps(self.error)
        return f'{{"error": {said}}}'

    @property
    def headers(self) -> dict[str, str]:
        """Static headers, as API Gateway wants them quoted."""
        headers = {"Content-Type": "application/json"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()}


_NOWHERE = "There is nothing at this address"
_TOO_MANY = "Too many requests; nothing was accepted, try again"

REFUSALS = (
    # The validator's own words, which name the member: a template can name variables and nothing else.
    Refusal(kind="BAD_REQUEST_BODY", status=400, error='"$context.error.validationErrorString"'),
    Refusal(kind="BAD_REQUEST_PARAMETERS", status=400, error="$context.error.messageString"),
    Refusal(kind="INVALID_API_KEY", status=401, error="Send a known API key as X-API-Key"),
    Refusal(kind="UNAUTHORIZED", status=401, error="Send a token of the user pool as Authorization"),
    Refusal(kind="ACCESS_DENIED", status=403, error="You may not do this"),
    Refusal(kind="EXPIRED_TOKEN", status=401, error="The token has expired"),
    Refusal(kind="INVALID_SIGNATURE", status=403, error="The signature of the request is wrong"),
    Refusal(kind="RESOURCE_NOT_FOUND", status=404, error=_NOWHERE),
    Refusal(kind="REQUEST_TOO_LARGE", status=413, error="The request body is larger than API Gateway takes"),
    Refusal(kind="UNSUPPORTED_MEDIA_TYPE", status=415, error="The body must be JSON"),
    Refusal(kind="THROTTLED", status=429, error=_TOO_MANY, retry_after=1),
    Refusal(kind="QUOTA_EXCEEDED", status=429, error="This key has used up its quota", retry_after=3600),
    Refusal(
        kind="INTEGRATION_TIMEOUT",
        status=504,
        error="No answer came in time; sending the same again is safe",
        retry_after=1,
    ),
    Refusal(
        kind="INTEGRATION_FAILURE",
        status=503,
        error="The function cannot be reached now; sending the same again is safe",
        retry_after=1,
    ),
    # A status here would become that of all others that are not named above.
    Refusal(kind="DEFAULT_4XX", status=None, error="$context.error.messageString"),
    Refusal(
        kind="DEFAULT_5XX",
        status=500,
        error="The gateway failed to handle this request; sending the same again is safe",
        retry_after=1,
    ),
)  # fmt: skip


def refusals(settings: Settings) -> tuple[Refusal, ...]:
    """API Gateway's own answers; an unknown address looks to it like a request without a signature."""
    if settings.auth == "iam":
        missing = Refusal(kind="MISSING_AUTHENTICATION_TOKEN", status=403, error="Sign the request (SigV4)")
    else:
        missing = Refusal(kind="MISSING_AUTHENTICATION_TOKEN", status=404, error=_NOWHERE)
    return (*REFUSALS, missing)


AUTHORIZATION = {"key": "NONE", "iam": "AWS_IAM", "cognito": "COGNITO_USER_POOLS"}

ACCESS_LOG = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTimeEpoch",
        "method": "$context.httpMethod",
        # The pattern, not the path: what a client calls its transactions stays out of the log.
        "route": "$context.resourcePath",
        "status": "$context.status",
        "bytes": "$context.responseLength",
        "milliseconds": "$context.responseLatency",
        "functionMilliseconds": "$context.integrationLatency",
        "functionStatus": "$context.integration.status",
        "functionError": "$context.integration.error",
        "error": "$context.error.responseType",
        "apiKeyId": "$context.identity.apiKeyId",
        "trace": "$context.xrayTraceId",
    }
)
"""One line of JSON a request, without its body, its path's values and its sender's address."""


KEY_SOURCE = "HEADER"
PATIENCE = 29_000
"""Milliseconds that API Gateway waits for the function."""
BINARY: list[str] = []
"""Answers are JSON text: no media type is binary."""


def fingerprint(settings: Settings, function: str) -> str:
    """A hash of all that a deployment of the API freezes: where it changes, the stage is deployed anew."""
    frozen = {
        "routes": [[each.method, each.path, each.checked] for each in ROUTES],
        "schema": SCHEMA,
        "refusals": [[each.kind, each.status, each.template, each.headers] for each in refusals(settings)],
        "auth": [settings.auth, settings.user_pool_arn],
        "function": function,
        "form": [KEY_SOURCE, PATIENCE, BINARY],
    }
    return hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()
