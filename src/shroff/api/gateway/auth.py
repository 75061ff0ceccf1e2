"""Who may do what, and how often: API keys with scopes and rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest

from shroff.api.gateway.answers import Refused, problem
from shroff.api.gateway.headers import Headers
from shroff.flows.keys import digest, key_id
from shroff.ports import Key

Monotonic = Callable[[], float]
"""Seconds that only grow."""

_CHALLENGE = ("www-authenticate", 'Bearer realm="shroff"')


class Bucket:
    """A token bucket: it holds what a key may send within one second, and at least one token."""

    __slots__ = ("_at", "_monotonic", "_tokens", "rate")

    def __init__(self, rate: float, monotonic: Monotonic) -> None:
        self.rate = rate
        self._monotonic = monotonic
        self._tokens = max(1.0, rate)
        self._at = monotonic()

    def take(self) -> None:
        """Take a token. Raises Refused with 429 where there is none."""
        now = self._monotonic()
        self._tokens = min(max(1.0, self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1.0:
            wait = math.ceil((1.0 - self._tokens) / self.rate)
            error = f"This key may send {self.rate:g} transactions or requests per second"
            raise Refused(problem(429, error, ("retry-after", str(wait))))
        self._tokens -= 1.0

    def owe(self, tokens: int) -> None:
        """Take tokens that need not be there yet: the next ones to come wait for what a batch has taken."""
        self._tokens -= tokens


class Keyring:
    """The keys in force, read anew by `refresh` so that a new or revoked key is known within a second."""

    def __init__(self, keys: Callable[[], Iterable[Key]], monotonic: Monotonic) -> None:
        self._keys = keys
        self._monotonic = monotonic
        self._held: Mapping[str, tuple[Key, Bucket | None]] = {}

    def refresh(self) -> None:
        """Replace the keys in one step; a key whose rate stays keeps what is in its bucket."""
        held = self._held
        self._held = {key.key_id: (key, self._bucket(key, held)) for key in self._keys() if not key.revoked}

    def _bucket(self, key: Key, held: Mapping[str, tuple[Key, Bucket | None]]) -> Bucket | None:
        if key.rate is None:
            return None
        before = held[key.key_id][1] if key.key_id in held else None
        return before if before and before.rate == key.rate else Bucket(key.rate, self._monotonic)

    def admit(self, headers: Headers, scope: str) -> Bucket | None:
        """The bucket of the key that was shown, one token taken. Raises Refused with 401, 403 or 429."""
        key, bucket = self._shown(headers)
        if scope not in key.scopes:
            raise Refused(problem(403, f"This key lacks the scope {scope}"))
        if bucket is not None:
            bucket.take()
        return bucket

    def _shown(self, headers: Headers) -> tuple[Key, Bucket | None]:
        text = _text(headers)
        if text is None:
            hint = "Send your API key as X-API-Key or as Authorization: Bearer"
            raise Refused(problem(401, hint, _CHALLENGE))
        held = self._held.get(key_id(text) or "")
        # An unknown id is compared too, so that the time taken does not tell it from a wrong secret.
        if not compare_digest(digest(text), held[0].digest if held else "") or held is None:
            raise Refused(problem(401, "Unknown or revoked API key", _CHALLENGE))
        return held


def _text(headers: Headers) -> str | None:
    text = headers.get("x-api-key")
    if text is None and (said := headers.get("authorization")):
        kind, _, text = said.partition(" ")
        if kind.lower() != "bearer":
            return None
    return text.strip() if text else None
