"""What a stack was made with, as its functions are told it."""

from __future__ import annotations

from dataclasses import dataclass

from shroff.adapters.aws.clients import Clients, translate


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """What whoever reads and writes beside the functions has to do as they do."""

    currency: str = "USD"
    shards: int = 16
    retention_days: int | None = None
    max_receives: int = 3


def settings_of(clients: Clients, suffix: str) -> StackSettings:
    """The settings of a stack's API handler, which accepts and decides."""
    with translate(f"looking for the stack {suffix}"):
        found = clients.functions.get_function_configuration(FunctionName=f"api-handler-{suffix}")
    told: dict[str, str] = found.get("Environment", {}).get("Variables", {})
    whole = {
        name: int(told[f"SHROFF_{name.upper()}"])
        for name in ("shards", "retention_days", "max_receives")
        if told.get(f"SHROFF_{name.upper()}")
    }
    return StackSettings(
        currency=told.get("SHROFF_CURRENCY") or "USD",
        shards=whole.get("shards", 16),
        retention_days=whole.get("retention_days"),
        max_receives=whole.get("max_receives", 3),
    )
