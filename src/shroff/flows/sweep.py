"""The periodic look-back over the transactions of the last minutes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

from shroff.codec import instant
from shroff.core import sweep as core
from shroff.core.columns import Batch
from shroff.core.policy import Policy
from shroff.ports import Alerts, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep looked at and what it found; the window is [start, end) in milliseconds."""

    start: int
    end: int
    transactions: int
    findings: tuple[core.Finding, ...]
    new_alerts: int

    def members(self) -> dict[str, Any]:
        """The sweep as its JSON members."""
        return {
            "from": instant(self.start),
            "to": instant(self.end),
            "transactions": self.transactions,
            "findings": [
                {
                    "transaction_id": each.transaction_id,
                    "customer_id": each.customer_id,
                    "reason": each.reason,
                    "score": each.score,
                }
                for each in self.findings
            ],
        }


def sweep(policy: Policy, ledger: Ledger, alerts: Alerts, *, at: int, window: int, now: int) -> Swept:
    """Sweep the `window` ms before `at`; findings become alerts, at most one a transaction and reason.

    Reads by the index on time, so its cost follows the window and not the history.
    """
    start = at - window
    records = chain.from_iterable(ledger.between(start, at))
    batch = Batch.of([record.transaction for record in records])
    findings = core.sweep(policy, batch)
    new = alerts.add(core.alerts_of(policy, findings, now), count_hits=False) if findings else 0
    return Swept(start=start, end=at, transactions=len(batch), findings=tuple(findings), new_alerts=new)
