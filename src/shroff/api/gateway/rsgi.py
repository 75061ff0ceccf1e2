"""What Granian hands to an RSGI application, as far as the gateway uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

# Granian types both, but does not export them by these names.
from granian.rsgi import ProtocolClosed, ProtocolError  # type: ignore[attr-defined]

from shroff.api.gateway.headers import Headers

CLIENT_LEFT = (ProtocolClosed, ProtocolError)
"""What reading from or answering a closed connection raises."""


class Scope(Protocol):
    """What is known of a request before its body."""

    proto: str
    method: str
    path: str

    @property
    def headers(self) -> Headers:
        """Those of the request."""


class HTTPProtocol(Protocol):
    """The body of a request, whole or in chunks, and the way to answer it, once."""

    def __call__(self) -> Awaitable[bytes]:
        """The whole body."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""


class WebsocketProtocol(Protocol):
    """A connection that wants to become a websocket."""

    def close(self, status: int) -> object:
        """Refuse it."""
