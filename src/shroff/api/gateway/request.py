"""One HTTP request on its way to its answer, whoever brought it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from shroff.api.gateway.answers import Answer
from shroff.api.gateway.auth import Bucket
from shroff.api.gateway.headers import Headers

GET, POST = ("GET", "HEAD"), ("POST",)

Ask = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Put a question to the ports, where that holds up nobody else."""


@dataclass(slots=True)
class Request:
    """What a route is handed."""

    headers: Headers
    path: str
    """Percent-decoded, once."""
    read: Callable[[int], Awaitable[bytes]]
    """The whole body; raises Refused where it is larger than so many bytes."""
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
