"""Events of API Gateway's REST APIs, as AWS documents them and as they come."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

RESOURCES = {
    "/transactions": "/transactions",
    "/transactions/batch": "/transactions/batch",
    "/decisions": "/decisions",
    "/health": "/health",
    "/ready": "/ready",
}
STAGE = "prod"


def event(
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    base64_encoded: bool = False,
    base_path: str = "",
) -> dict[str, Any]:
    """A proxy event, version 1.0; `path` is as the client sends it, percent-encoded."""
    resource, parameters = _resource(method, path)
    sent = {"Accept": "*/*", "Host": "abc123.execute-api.eu-west-1.amazonaws.com", **(headers or {})}
    text = None
    if body is not None:
        text = base64.b64encode(body).decode() if base64_encoded else body.decode()
    return {
        "resource": resource,
        "path": base_path + path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "authorizer": None,
            "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {"accessKey": None, "apiKeyId": "k1", "sourceIp": "192.0.2.1", "userAgent": "curl"},
            "path": f"/{STAGE}{path}" if not base_path else base_path + path,
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourceId": "123456",
            "resourcePath": resource,
            "stage": STAGE,
        },
        "body": text,
        "isBase64Encoded": base64_encoded,
    }


def by_id(transaction_id: str) -> str:
    """The address of a transaction."""
    return f"/transactions/{quote(transaction_id, safe='')}"


def _resource(method: str, path: str) -> tuple[str, dict[str, str] | None]:
    if path in RESOURCES and not (method == "GET" and path == "/transactions/batch"):
        return path, None
    prefix, _, rest = path[1:].partition("/")
    if prefix == "transactions" and rest and "/" not in rest:
        return "/transactions/{id}", {"id": rest}
    return "/{proxy+}", {"proxy": path.removeprefix("/")}
