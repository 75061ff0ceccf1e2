"""What a function is told by the stack that made it: `SHROFF_*` in its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from shroff.core.errors import Fault, Rejected
from shroff.core.money import DECIMALS

PREFIX = "SHROFF_"

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of all functions; a function is given those that it needs."""

    suffix: Annotated[str, msgspec.Meta(min_length=1)]
    """Of the stack; it ends every name and is a dimension of every metric."""
    transactions_table: str | None = None
    state_table: str | None = None
    queue_url: str | None = None
    dlq_url: str | None = None
    bucket: str | None = None
    """Where chunks of history and reports are kept."""
    alerts_topic: str | None = None
    currency: str = "USD"
    """The currency of a transaction that names none."""
    shards: Annotated[int, msgspec.Meta(ge=1, le=100)] = 16
    """Of the indexes by time; may be raised, never lowered."""
    retention_days: AtLeastOne | None = None
    """How long transactions and their decisions are kept in the table; unset is for ever."""
    high_water: Annotated[int, msgspec.Meta(ge=0)] = 100_000
    """Transactions in flight from which on the API answers 503."""
    sweep_delay: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 60
    """Seconds after a window's end at which it is sealed and swept, longer than the consumer may take."""
    max_receives: AtLeastOne = 3
    """Attempts at a message, after which the queue moves it to the dead letters."""
    log_level: Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"] = "INFO"

    def require(self, *names: str) -> None:
        """Raises Rejected, in one sentence, where one of these is unset."""
        unset = [name for name in names if getattr(self, name) is None]
        if unset:
            named = ", ".join(f"{PREFIX}{name.upper()}" for name in unset)
            raise Rejected([Fault(unset[0], f"this function needs {named} in its environment")])


def read_cloud_settings(environment: Mapping[str, str] = os.environ) -> CloudSettings:
    """The settings of a function; what is set to nothing is unset. Raises Rejected in one sentence."""
    given = {name: environment.get(f"{PREFIX}{name.upper()}") for name in CloudSettings.__struct_fields__}
    try:
        settings = msgspec.convert(
            {name: value for name, value in given.items() if value}, CloudSettings, strict=False
        )
    except msgspec.ValidationError as error:
        raise Rejected([Fault("settings", f"{PREFIX}* in the environment: {error}")]) from None
    if settings.currency not in DECIMALS:
        sentence = f'{PREFIX}CURRENCY: "{settings.currency}" is not an ISO 4217 code'
        raise Rejected([Fault("currency", sentence)])
    return settings
