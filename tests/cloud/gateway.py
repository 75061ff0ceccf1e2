"""API Gateway's stand-in: routes, key, throttle, model and proxy event, all as they are declared in the
local cloud.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jsonschema

from tests.cloud.functions import LATE
from tests.cloud.process import ACCOUNT, REGION

MOST = 10_485_760
"""Bytes of a request that API Gateway takes; a function takes 6 MB of event."""
EVENT_MOST = 6_291_556

Headers = Mapping[str, str]


@dataclass
class Response:
    """A plain HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Bucket:
    """A token bucket, as API Gateway throttles."""

    rate: float
    burst: float
    tokens: float = -1.0
    at: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def take(self) -> bool:
        with self.lock:
            now = time.monotonic()
            full = self.tokens < 0
            self.tokens = self.burst if full else min(self.burst, self.tokens + (now - self.at) * self.rate)
            self.at = now
            self.tokens -= 1 if self.tokens >= 1 else 0
            return full or self.tokens >= 1


REFUSALS = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "THROTTLED": (429, "Too Many Requests"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
    "INTEGRATION_FAILURE": (504, "Network error communicating with endpoint"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "DEFAULT_5XX": (502, "Internal server error"),
}
"""API Gateway's own answers, where the program declares no other."""


class Gateway:
    """One deployed stage of the API that the program declares; `invoke` runs a function by its ARN."""

    def __init__(
        self, client: Any, stage: str, invoke: Any, throttle: tuple[float, float] | None = None
    ) -> None:
        self.client, self.stage, self.invoke = client, stage, invoke
        (self.api,) = (each for each in client.get_rest_apis()["items"])
        self.id = self.api["id"]
        self.routes = client.get_resources(restApiId=self.id, embed=["methods"], limit=500)["items"]
        self.models = {
            each["name"]: json.loads(each["schema"]) for each in self.page("get_models") if each.get("schema")
        }
        self.validators = {each["id"]: each for each in self.page("get_request_validators")}
        self.responses = {each["responseType"]: each for each in self.page("get_gateway_responses")}
        self.keys = {each["value"]: each for each in client.get_api_keys(includeValues=True)["items"]}
        self.bucket = Bucket(*throttle) if throttle else None

    def page(self, act: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = getattr(self.client, act)(restApiId=self.id).get("items", [])
        return found

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Headers | None = None
    ) -> Response:
        """A request as it comes from the network, without the stage in its path."""
        given = {"Host": f"{self.id}.execute-api.{REGION}.amazonaws.com", **(headers or {})}
        address, _, query = path.partition("?")
        resource, parameters = self.find(address)
        declared = self.method(resource, method)
        if resource is None or declared is None:
            return self.refuse("MISSING_AUTHENTICATION_TOKEN")
        refusal = self.let_in(declared, given, body)
        if refusal:
            return self.refuse(refusal)
        event = self.event(resource, parameters, method, address, query, body, given)
        payload = json.dumps(event).encode()
        if len(payload) > EVENT_MOST:
            return self.refuse("REQUEST_TOO_LARGE")
        return self.answer(self.invoke(function_of(declared), payload))

    def find(self, address: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """The declared resource of a path: literal parts first, then parameters."""
        best: tuple[int, dict[str, Any], dict[str, str]] | None = None
        for each in self.routes:
            pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(each["path"]))
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
            found = re.fullmatch(pattern, address.rstrip("/") or "/")
            if found and (best is None or len(found.groupdict()) < best[0]):
                best = (len(found.groupdict()), each, found.groupdict())
        return (best[1], best[2]) if best else (None, {})

    def method(self, resource: dict[str, Any] | None, method: str) -> dict[str, Any] | None:
        methods = (resource or {}).get("resourceMethods") or {}
        name = method if method in methods else "ANY"
        if resource is None or name not in methods:
            return None
        declared: dict[str, Any] = self.client.get_method(
            restApiId=self.id, resourceId=resource["id"], httpMethod=name
        )
        return declared

    def let_in(self, declared: Mapping[str, Any], headers: Headers, body: bytes | None) -> str | None:
        """The kind of refusal, or None."""
        lowered = {name.lower(): value for name, value in headers.items()}
        if declared.get("apiKeyRequired") and lowered.get("x-api-key") not in self.keys:
            return "INVALID_API_KEY"
        if self.bucket is not None and not self.bucket.take():
            return "THROTTLED"
        if len(body or b"") > MOST:
            return "REQUEST_TOO_LARGE"
        return self.validate(declared, lowered.get("content-type", "application/json"), body)

    def validate(self, declared: Mapping[str, Any], kind: str, body: bytes | None) -> str | None:
        """A body is validated where its content type has a model; else it passes, as API Gateway lets it."""
        validator = self.validators.get(declared.get("requestValidatorId", ""), {})
        models = declared.get("requestModels") or {}
        name = models.get(kind.partition(";")[0].strip().lower(), models.get("$default"))
        if not validator.get("validateRequestBody") or name is None:
            return None
        try:
            jsonschema.Draft4Validator(self.models[name]).validate(json.loads(body or b""))
        except (ValueError, RecursionError, jsonschema.ValidationError):
            return "BAD_REQUEST_BODY"
        return None

    def event(
        self, resource: Mapping[str, Any], parameters: dict[str, str], method: str, address: str, query: str,
        body: bytes | None, headers: Headers,
    ) -> dict[str, Any]:  # fmt: skip
        """The proxy event of payload version 1.0, as AWS documents it."""
        pairs = parse_qsl(query, keep_blank_values=True)
        binary = self.is_binary(headers)
        text = (
            None
            if not body
            else base64.b64encode(body).decode()
            if binary
            else body.decode("utf-8", "replace")
        )
        now = time.time()
        return {
            "resource": resource["path"],
            "path": address,
            "httpMethod": method,
            "headers": dict(headers),
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {unquote_plus(name): value for name, value in pairs} or None,
            "multiValueQueryStringParameters": {
                name: [value for other, value in pairs if other == name] for name, _ in pairs
            }
            or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourceId": resource["id"],
                "resourcePath": resource["path"],
                "httpMethod": method,
                "extendedRequestId": uuid.uuid4().hex[:15] + "=",
                "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
                "path": f"/{self.stage}{address}",
                "accountId": ACCOUNT,
                "protocol": "HTTP/1.1",
                "stage": self.stage,
                "domainPrefix": self.id,
                "requestTimeEpoch": int(now * 1000),
                "requestId": str(uuid.uuid4()),
                "identity": {
                    "sourceIp": "198.51.100.7",
                    "userAgent": headers.get("User-Agent"),
                    "apiKeyId": None,
                },
                "domainName": headers["Host"],
                "apiId": self.id,
            },
            "body": text,
            "isBase64Encoded": bool(body) and binary,
        }

    def is_binary(self, headers: Headers) -> bool:
        kinds = self.api.get("binaryMediaTypes") or []
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        return "*/*" in kinds or kind.partition(";")[0] in kinds

    def answer(self, result: Any) -> Response:
        """The function's answer as HTTP; what is no proper answer is API Gateway's 502."""
        if result is LATE:
            return self.refuse("INTEGRATION_TIMEOUT")
        value = result.value if result.error is None else None
        if not isinstance(value, dict) or not isinstance(value.get("statusCode"), int | str):
            return self.refuse("DEFAULT_5XX")
        body = value.get("body") or ""
        content = base64.b64decode(body) if value.get("isBase64Encoded") else body.encode()
        headers = {"Content-Type": "application/json", **(value.get("headers") or {})}
        return Response(int(value["statusCode"]), headers, content)

    def refuse(self, kind: str) -> Response:
        """API Gateway's own answer, by the declared template where there is one."""
        status, message = REFUSALS[kind]
        family = "DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX"
        declared = self.responses.get(kind) or self.responses.get(family) or {}
        template = (declared.get("responseTemplates") or {}).get(
            "application/json", '{"message":$context.error.messageString}'
        )
        body = template.replace("$context.error.messageString", json.dumps(message))
        body = body.replace("$context.error.message", message)
        body = body.replace("$context.error.validationErrorString", message)
        return Response(
            int(declared.get("statusCode") or status), {"Content-Type": "application/json"}, body.encode()
        )


def function_of(method: Mapping[str, Any]) -> str:
    """The function that a method's integration runs."""
    found = re.search(r":function:([^/:]+)", method["methodIntegration"]["uri"])
    assert found, method
    return found[1]
