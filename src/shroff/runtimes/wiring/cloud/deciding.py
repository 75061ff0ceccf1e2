"""What deciding asks of a stack."""

from __future__ import annotations

import time

from shroff.runtimes.lambdas.deciding import Decider, DeciderPorts
from shroff.runtimes.lambdas.telling import Teller
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.cloud import Deployed


def teller(deployed: Deployed) -> Teller:
    """Tells the alerts' topic."""
    return Teller(deployed.store.topic, deployed.store.alerts.told)


def decider(deployed: Deployed) -> Decider:
    """Decides by the policy in force."""
    store = deployed.store
    ports = DeciderPorts(
        entities=store.entities,
        lists=store.lists,
        policies=store.policies,
        models=store.models,
        tell=teller(deployed).tell,
        default_policy=default_policy,
        clock=deployed.clock,
        sleep=time.sleep,
    )
    return Decider(ports, deployed.meter)
