"""The look-back over a window of transactions, for what no single one of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shroff.core.alert import Alert, alert_id
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import transaction_columns
from shroff.core.money import DECIMALS
from shroff.core.policy import OUTCOMES, Policy
from shroff.core.transaction import JOINT

UNKNOWN = "unknown"
"""The group of transactions without the entity that a sweep groups by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One transaction that a sweep's rule marks."""

    transaction_id: str
    customer_id: str
    rule: str
    reason: str
    score: float
    group: str
    occurred_at: int


def sweep(policy: Policy, batch: Batch) -> list[Finding]:
    """What the sweep's rules find in the transactions of one window, rule by rule, in the batch's order."""
    plan = policy.sweep
    if len(batch) == 0 or not plan.rules:
        return []
    keys = batch.keys(policy.entities[plan.by])
    names = frozenset(name for rule in plan.rules for name in (*rule.when.names, *rule.score.names))
    columns = transaction_columns(policy, batch, names | {"amount"})
    columns |= _window_columns(keys, columns["amount"], 10 ** DECIMALS[policy.base_currency])
    results = plan.program.run(columns, len(batch))
    customers = batch.texts["customer_id"]
    return [
        Finding(
            transaction_id=batch.transaction_id[row],
            customer_id=customers[row] or UNKNOWN,
            rule=rule.name,
            reason=rule.reason,
            score=0.0 if np.isnan(score[row]) else float(score[row]),
            group=(keys[row] or UNKNOWN).replace(JOINT, ", "),
            occurred_at=int(batch.occurred_at[row]),
        )
        for rule, hit, score in zip(plan.rules, results[::2], results[1::2], strict=True)
        for row in np.flatnonzero(hit)
    ]


def alerts_of(policy: Policy, findings: list[Finding], raised_at: int) -> list[Alert]:
    """One alert a transaction and reason, whichever and however many sweeps find it."""
    return [
        Alert(
            alert_id=alert_id(each.reason, "transaction", each.transaction_id, "sweep"),
            rule=each.rule,
            entity=policy.sweep.by,
            key=each.group,
            outcome=OUTCOMES[policy.alert_from],
            score=each.score,
            reason=each.reason,
            transaction_id=each.transaction_id,
            occurred_at=each.occurred_at,
            raised_at=raised_at,
        )
        for each in findings
    ]


def _window_columns(keys: Sequence[str | None], amounts: Array, unit: int) -> dict[str, Array]:
    """What each row's group amounts to in the window, [n] a column."""
    places: dict[str | None, int] = {}
    group = np.array([places.setdefault(key, len(places)) for key in keys], np.int64)
    groups = len(places)
    priced = ~np.isnan(amounts)
    counts = np.bincount(group, minlength=groups).astype(np.float64)
    # In whole minor units the sums are exact, so the mean of equal amounts is that amount.
    minor = np.rint(np.where(priced, amounts, 0.0) * unit)
    having = np.bincount(group, priced, groups)
    total = np.bincount(group, minor, groups)
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, group[priced], amounts[priced])
    np.maximum.at(high, group[priced], amounts[priced])
    some, several = np.where(having > 0, having, np.nan), np.where(having > 1, having - 1, np.nan)
    off = np.where(priced, minor - (total / some)[group], 0.0)
    spread = np.bincount(group, off * off, groups)
    by_group = {
        "window.count": counts,
        "window.amount_sum": total / unit,
        "window.amount_mean": total / some / unit,
        "window.amount_std": np.sqrt(spread / several) / unit,
        "window.amount_min": np.where(having > 0, low, np.nan),
        "window.amount_max": np.where(having > 0, high, np.nan),
    }
    return {name: column[group] for name, column in by_group.items()}
