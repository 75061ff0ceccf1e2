"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import sha256

from shroff.core.errors import Fault, Rejected
from shroff.ports import Key

SCOPES = ("transactions:write", "decisions:write", "transactions:read", "labels:write", "metrics:read")
"""What a key can be good for."""

_PREFIX = "shroff"
_ID_BYTES, _SECRET_BYTES = 6, 32


def new_key(name: str, scopes: Iterable[str], rate: float | None, now: int) -> tuple[str, Key]:
    """A new key as (the text to hand over, what to keep of it). Raises Rejected with all faults at once.

    `rate` is in requests per second; None is without limit.
    """
    scopes = frozenset(scopes)
    if faults := list(_faults(name, scopes, rate)):
        raise Rejected(faults)
    key_id = secrets.token_hex(_ID_BYTES)
    text = f"{_PREFIX}_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
    return text, Key(
        key_id=key_id, name=name, digest=digest(text), scopes=scopes, rate=rate, created_at=now, revoked=False
    )


def key_id(text: str) -> str | None:
    """Which key a text claims to be; None where it is no key of ours."""
    prefix, _, rest = text.partition("_")
    found, _, secret = rest.partition("_")
    return found if prefix == _PREFIX and found and secret else None


def digest(text: str) -> str:
    """What is kept of a key. Its 256 random bits cannot be guessed, so no slow hash is needed."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _faults(name: str, scopes: frozenset[str], rate: float | None) -> Iterable[Fault]:
    if not name.strip() or len(name) > 64:
        yield Fault("name", "A key needs a name of at most 64 characters")
    if not scopes:
        yield Fault("scopes", f"A key needs a scope: {', '.join(SCOPES)}")
    for scope in sorted(scopes.difference(SCOPES)):
        yield Fault("scopes", f'Unknown scope "{scope}"; the scopes are {", ".join(SCOPES)}')
    if rate is not None and not 0 < rate <= 1_000_000:
        yield Fault("rate", "The rate must be more than 0 and at most 1,000,000 requests per second")
