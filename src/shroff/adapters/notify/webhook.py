"""Alerts as signed posts to somebody's server."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from urllib.parse import urlsplit

from shroff import __version__
from shroff.adapters.notify.signature import sign
from shroff.codec import alert_members, encode
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected, Retryable

_PASSING = frozenset((408, 425, 429))
"""Answers below 500 that another attempt may not meet."""


class WebhookChannel:
    """Posts each alert as JSON; any 2xx means that it was taken. Redirects are not followed.

    `X-Shroff-Alert` is the alert's id, the same however often it is sent; `X-Shroff-Timestamp` is in seconds;
    `X-Shroff-Signature` is explained in `signature.py`. Raises Rejected for an address that cannot be used.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        timeout: float = 5.0,
        *,
        name: str = "webhook",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._secret, self._timeout, self._clock = secret, timeout, clock
        if not secret:
            raise Rejected([Fault("webhook.secret", "a webhook needs a secret to sign with")])
        self._connect, self._host, self._target = _address(url)

    def send(self, alert: Alert) -> None:
        """Post it, within the timeout from start to answer."""
        body, timestamp = encode(alert_members(alert)), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"shroff/{__version__}",
            "X-Shroff-Alert": alert.alert_id,
            "X-Shroff-Timestamp": str(timestamp),
            "X-Shroff-Signature": sign(self._secret, timestamp, body),
            "Connection": "close",
        }
        status = self._post(body, headers)
        if 200 <= status < 300:
            return
        problem = f"{self._host} answered {status}"
        if status >= 500 or status in _PASSING:
            raise Retryable(problem)
        raise Rejected([Fault("webhook", problem)])

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        connection = self._connect(self._timeout)
        # A timeout of the socket starts anew with every byte; this one does not.
        overdue = Timer(self._timeout, _cut, (connection,))
        overdue.daemon = True
        try:
            connection.connect()
            overdue.start()
            connection.request("POST", self._target, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Retryable(f"{self._host} cannot be reached: {_cause(error)}") from None
        finally:
            overdue.cancel()
            connection.close()


def _address(url: str) -> tuple[Callable[[float], http.client.HTTPConnection], str, str]:
    """How to connect, the host for messages, and what to ask it for."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        host is None
        or parts.scheme not in {"http", "https"}
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise _useless("a webhook's address begins with https:// or http:// and names a host")
    if parts.username is not None:
        raise _useless("a webhook's address holds no user and password: the secret signs what is sent")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return lambda timeout: http.client.HTTPConnection(host, port, timeout=timeout), host, target
    context = ssl.create_default_context()
    return (
        lambda timeout: http.client.HTTPSConnection(host, port, timeout=timeout, context=context),
        host,
        target,
    )


def _useless(problem: str) -> Rejected:
    return Rejected([Fault("webhook.url", problem)])


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):  # it may be closed by now
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _cause(error: Exception) -> str:
    """A sentence without the address, whose path may hold a token."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return type(error).__name__
