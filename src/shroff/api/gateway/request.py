"""One HTTP request on its way to its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shroff.api.gateway.answers import Answer
from shroff.api.gateway.auth import Bucket
from shroff.api.gateway.rsgi import Headers, HTTPProtocol

GET, POST = ("GET", "HEAD"), ("POST",)


@dataclass(slots=True)
class Request:
    """What a route is handed."""

    proto: HTTPProtocol
    headers: Headers
    path: str
    bucket: Bucket | None = None
    """The rate of the key that was shown, where it has one."""


@dataclass(frozen=True, slots=True)
class Route:
    """What an address answers, and to whom."""

    name: str
    """As metrics call it."""
    methods: tuple[str, ...]
    scope: str | None
    """What a key must be good for; None asks for no key."""
    handle: Callable[[Request], Awaitable[Answer]]
