"""What a request says of itself, and what its body must say to be read."""

from __future__ import annotations

from typing import Protocol

from shroff.api.gateway.answers import Refused, problem

_LINES = frozenset(f"application/{kind}" for kind in ("x-ndjson", "ndjson", "jsonlines", "json"))


class Headers(Protocol):
    """Request headers; names are lower case."""

    def get(self, key: str, /) -> str | None:
        """The first value."""


def require_json(headers: Headers) -> None:
    """Refuse with 415 a body that says it is something else; one that says nothing is taken for JSON."""
    said = headers.get("content-type")
    if said is None or said == "application/json":
        return
    kind = _kind(said)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        hint = "send Content-Type: application/json"
        raise Refused(problem(415, f"The body must be JSON: {hint}, not {kind!r}"))


def is_lines(headers: Headers) -> bool:
    """Whether a body says that it is newline-delimited JSON."""
    said = headers.get("content-type")
    return said is not None and _kind(said) in _LINES - {"application/json"}


def require_lines(headers: Headers) -> None:
    """The same for newline-delimited JSON."""
    said = headers.get("content-type")
    if said is not None and (kind := _kind(said)) not in _LINES:
        hint = "send Content-Type: application/x-ndjson"
        raise Refused(problem(415, f"The body must be newline-delimited JSON: {hint}, not {kind!r}"))


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()[:100]
