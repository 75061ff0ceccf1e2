"""The adapters of AWS: what every function asks of its stack; the modules beside have what one alone asks.

They are apart so that a function's zip holds nothing of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shroff.adapters.aws.clients import Clients, translate
from shroff.adapters.aws.names import Names
from shroff.adapters.aws.store import AwsStore
from shroff.codec import encode
from shroff.ports import Clock
from shroff.runtimes.lambdas.invocation import begin_logs
from shroff.runtimes.lambdas.meter import Meter
from shroff.runtimes.lambdas.settings import CloudSettings, read_cloud_settings
from shroff.runtimes.wiring import wall_clock


class Deployed:
    """What one function of a stack asks of the world."""

    def __init__(self, settings: CloudSettings, clients: Clients, clock: Clock = wall_clock) -> None:
        self.settings = settings
        self.clients = clients
        self.clock = clock
        self.names = _names(settings)
        self.meter = Meter(settings.suffix, clock)
        self.store = AwsStore(
            clients,
            self.names,
            shards=settings.shards,
            retention_days=settings.retention_days,
            max_receives=settings.max_receives,
            clock=clock,
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Have a function run, later and on its own."""
        with translate("invoking the next run"):
            self.clients.functions.invoke(
                FunctionName=function, InvocationType="Event", Payload=encode(event)
            )


def open_deployed(*needs: str, read_timeout: int | None = None) -> Deployed:
    """What this function's environment names; `read_timeout` in seconds where there is little time.

    Raises Rejected where it lacks something that is needed.
    """
    settings = read_cloud_settings()
    settings.require(*needs)
    begin_logs(settings.log_level)
    return Deployed(settings, Clients(read_timeout=read_timeout))


def _names(settings: CloudSettings) -> Names:
    return Names(
        transactions=settings.transactions_table or "",
        state=settings.state_table or "",
        queue_url=settings.queue_url or "",
        dlq_url=settings.dlq_url or "",
        bucket=settings.bucket or "",
        alerts_topic=settings.alerts_topic or "",
    )
