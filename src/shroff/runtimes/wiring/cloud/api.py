"""What the api-handler asks of its stack."""

from __future__ import annotations

from shroff.adapters.aws.backlog import backlog
from shroff.adapters.aws.intermission import lasts
from shroff.api.gateway.settings import DeskPorts, GatewaySettings
from shroff.runtimes.lambdas.answering import Api, Counter, Inline, ask
from shroff.runtimes.wiring.cloud import Deployed
from shroff.runtimes.wiring.cloud.deciding import decider


def api(deployed: Deployed) -> Api:
    """The desk behind API Gateway."""
    store, clock = deployed.store, deployed.clock
    ports = DeskPorts(
        reader=store.queue,
        ledger=store.ledger,
        dead_letters=store.dead_letters,
        policies=store.policies,
        in_flight=lambda: backlog(deployed.clients, deployed.names.queue_url),
        ask=ask,
        labels=store.labels,
        keep=ask,
    )
    settings = GatewaySettings(
        currency=deployed.settings.currency, high_water=deployed.settings.high_water, require_key=False
    )
    intake, deciding = (
        Counter(settings, clock, append, deployed.meter) for append in (store.queue.append, store.queue.keep)
    )
    inline = Inline(ports, decider(deployed), store.queue.send, clock, lambda: lasts(store.schedule))
    return Api(ports, intake, deciding, inline, clock)
