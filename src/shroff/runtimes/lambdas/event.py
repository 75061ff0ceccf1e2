"""API Gateway's proxy event, version 1.0, as a request; an answer as it wants it back."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shroff.api.gateway.answers import Answer, Refused, too_large
from shroff.api.gateway.request import Request

_PLACE = re.compile(r"\{([^}+]+)\+?\}")

Event = Mapping[str, Any]


def method_of(event: Event) -> str:
    """The request's method."""
    return str(event["httpMethod"])


def path_of(event: Event) -> str:
    """The address, percent-decoded once.

    Made of the resource and its parameters, which know of no stage and of no custom domain's base path;
    `path` has the one or the other where a request came that way. A REST API decodes nothing of either.
    """
    resource, given = event.get("resource"), event.get("pathParameters") or {}
    if not resource:
        return unquote(event.get("path") or "/")
    return unquote(_PLACE.sub(lambda place: str(given.get(place[1], "")), resource))


def request_of(event: Event) -> Request:
    """The event as a request.

    API Gateway refuses bodies over 10 MB and Lambda events over 6 MB before anything here is asked, so that
    a batch ends there, before it ends at the gateway's 16 MiB.
    """

    async def read(most: int) -> bytes:
        body = _body_of(event)
        if len(body) > most:
            raise Refused(too_large(most))
        return body

    return Request(_headers_of(event), path_of(event), read)


def proxied(answer: Answer, *, head: bool) -> dict[str, Any]:
    """The answer for API Gateway; that to HEAD has no body, which Granian sees to in the embedded runtime."""
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": "" if head else answer.body.decode(),
        "isBase64Encoded": False,
    }


def _headers_of(event: Event) -> dict[str, str]:
    """By lower-case name, the first value of each."""
    found = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if values:
            found[name.lower()] = values[0]
    return found


def _body_of(event: Event) -> bytes:
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
