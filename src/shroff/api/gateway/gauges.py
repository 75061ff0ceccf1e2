"""How full the pipeline is, looked at now and then and never per request."""

from __future__ import annotations

from dataclasses import dataclass

from shroff.api.gateway.settings import GatewayPorts
from shroff.flows.figures import Figures

_MILLISECONDS = 1_000
_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Where all accepted transactions are, counted at one moment."""

    accepted: int
    decided: int
    dead_lettered: int
    retrying: int
    in_flight: int
    alerts: int
    outcomes: dict[str, int]
    labels: dict[str, int]
    """fraud and legitimate, of all that came; learned and passed, of those that were due."""
    lag: float
    """Age of the oldest message that the worker has not taken, in seconds."""
    report: Figures | None = None
    """What the newest report found; None before the first."""

    @property
    def audit_gap(self) -> int:
        """Conservation: anything but 0 is a transaction lost or counted twice."""
        return self.accepted - self.decided - self.dead_lettered - self.in_flight


def in_flight(ports: GatewayPorts) -> int:
    """Accepted and not decided yet, the failed ones that will be tried again among them."""
    position, totals = _ledger(ports)
    return max(0, ports.reader.last() - position) + totals.get("retrying", 0)


def read_gauges(ports: GatewayPorts) -> Reading:
    """Count everything once. Raises Retryable where the files cannot be read now."""
    position, totals = _ledger(ports)
    accepted = ports.reader.last()
    retrying = totals.get("retrying", 0)
    prefix = "outcome."
    waiting = ports.reader.read(position, 1)
    return Reading(
        accepted=accepted,
        decided=totals.get("decided", 0),
        dead_lettered=totals.get("dead_lettered", 0),
        retrying=retrying,
        in_flight=accepted - position + retrying,
        alerts=totals.get("alerts", 0),
        outcomes={name.removeprefix(prefix): n for name, n in totals.items() if name.startswith(prefix)},
        labels=ports.label_counts(),
        lag=max(0, ports.clock() - waiting[0].received_at) / _MILLISECONDS if waiting else 0.0,
        report=ports.figures(),
    )


def _ledger(ports: GatewayPorts) -> tuple[int, dict[str, int]]:
    """Position and totals of one moment: a commit between the two would show as a gap that is none."""
    position = ports.ledger.position()
    for _ in range(_LOOKS):
        totals = ports.ledger.totals()
        now = ports.ledger.position()
        if now == position:
            break
        position = now
    return position, totals
