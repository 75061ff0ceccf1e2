"""The one place that chooses adapters: `embedded` those of one machine, `cloud` those of AWS.

What is here needs none of them, so that each runtime imports its own only.
"""

from __future__ import annotations

import ipaddress
import time
from importlib import resources


def wall_clock() -> int:
    """Milliseconds since 1970, now."""
    return time.time_ns() // 1_000_000


def default_policy() -> str:
    """The document of the policy that a new installation starts with."""
    return (resources.files("shroff") / "policies" / "default.toml").read_text(encoding="utf-8")


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
