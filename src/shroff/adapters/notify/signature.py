"""Signatures of webhooks: who knows the secret can tell that a body is Shroff's, whole and recent.

A receiver reads the body's bytes as they came, before any JSON parser, and asks::

    verify(
        secret,
        request.headers["X-Shroff-Timestamp"],
        request.body,
        request.headers["X-Shroff-Signature"],
        now=time.time(),
    )

It then answers 2xx, also for an `X-Shroff-Alert` that it has seen: delivery is at least once.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

TOLERANCE = 300
"""Seconds that a signature is good for, before and after its timestamp."""

_LONGEST_TIMESTAMP = 12


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, in hexadecimal, of the timestamp in seconds, a full stop and the body."""
    digest = hmac.new(secret.encode(), b"%d." % timestamp + body, sha256)
    return f"v1={digest.hexdigest()}"


def verify(
    secret: str, timestamp: str, body: bytes, signature: str, *, now: float, tolerance: float = TOLERANCE
) -> bool:
    """Whether a signature is that of this body and secret, and its timestamp near `now`, in seconds."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    fresh = abs(now - int(timestamp)) <= tolerance
    return hmac.compare_digest(sign(secret, int(timestamp), body).encode(), signature.encode()) and fresh
