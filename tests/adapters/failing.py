"""Calls of AWS that are not answered, before or after they took effect."""

from __future__ import annotations

from copy import copy
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from shroff.adapters.aws.clients import Clients


class Failing:
    """A client of which one method is not answered, so many times."""

    def __init__(self, client: Any, method: str, *, after: bool, times: int = 1) -> None:
        self._client, self._method = client, method
        self._after, self.left = after, times

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._failing(call) if name == self._method and self.left else call

    def _failing(self, call: Any) -> Any:
        def failing(**request: Any) -> Any:
            self.left -= 1
            if self._after:
                call(**request)
            raise ReadTimeoutError(endpoint_url="https://aws.test")

        return failing


def failing(clients: Clients, service: str, method: str, *, after: bool, times: int = 1) -> Clients:
    """The clients, one of them failing."""
    wrapped = copy(clients)
    setattr(wrapped, service, Failing(getattr(clients, service), method, after=after, times=times))
    return wrapped


class Refusing:
    """A client of which one method is refused with an error of AWS, so many times."""

    def __init__(self, client: Any, method: str, code: str, times: int) -> None:
        self._client, self._method, self._code, self.left = client, method, code, times

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._method and self.left else getattr(self._client, name)

    def _refuse(self, **_: Any) -> Any:
        self.left -= 1
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, self._method)


def refusing(clients: Clients, service: str, method: str, code: str, *, times: int = 1) -> Clients:
    """The clients, one of them refusing."""
    wrapped = copy(clients)
    setattr(wrapped, service, Refusing(getattr(clients, service), method, code, times))
    return wrapped
