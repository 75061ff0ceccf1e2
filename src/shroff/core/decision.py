"""Deciding a batch: outcome, score and reasons from features and rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from shroff.core.columns import Batch, objects
from shroff.core.compiled import Array
from shroff.core.expression import Kind
from shroff.core.hits import find
from shroff.core.money import DECIMALS
from shroff.core.policy import OUTCOMES, Policy
from shroff.core.reasons import Reason, reasons_of
from shroff.core.scores import scores_of
from shroff.core.transaction import TEXTS

_MORNING, _SATURDAY = 6, 5


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """What was decided of one transaction, with all that it was decided from."""

    transaction_id: str
    outcome: str
    score: float
    reasons: tuple[Reason, ...]
    snapshot: bytes
    """Features, list hits, models' scores: little-endian float64 as in `snapshot_names`; NaN is missing."""
    policy_version: str
    decided_at: int


def snapshot(features: Array, listed: Mapping[str, Array]) -> Array:
    """Features [n, f] beside list hits: what decisions are made from, and can be made from again."""
    return np.hstack([features, *(hit.astype(np.float64)[:, None] for hit in listed.values())])


def decide(policy: Policy, batch: Batch, snapshots: Array, decided_at: int) -> list[Decision]:
    """One decision a row of the batch, from its snapshot [n, f + lists]."""
    columns = columns_of(policy, batch, snapshots)
    scores = scores_of(policy, columns, len(batch))
    hits = find(policy, columns, len(batch), scores)
    reasons = reasons_of(policy, columns, hits, scores)
    stored = np.ascontiguousarray(np.hstack([snapshots, scores]), "<f8")
    rows = zip(batch.transaction_id, hits.outcomes.tolist(), hits.scores.tolist(), stored, strict=True)
    return [
        Decision(
            transaction_id=transaction_id,
            outcome=OUTCOMES[outcome],
            score=score,
            reasons=tuple(reasons.get(row, ())),
            snapshot=snapshot.tobytes(),
            policy_version=policy.version,
            decided_at=decided_at,
        )
        for row, (transaction_id, outcome, score, snapshot) in enumerate(rows)
    ]


def columns_of(policy: Policy, batch: Batch, snapshots: Array) -> dict[str, Array]:
    """The columns that the policy's rules and reasons name."""
    wanted = policy.names_used
    columns = transaction_columns(policy, batch, wanted)
    for at, name in enumerate(policy.snapshot_names):
        if name in wanted:
            column = snapshots[:, at]
            columns[name] = column != 0 if name.startswith("list.") else column
    if wanted & policy.derived.keys():
        columns |= zip(policy.derived, policy.deriving.run(columns, len(batch)), strict=True)
    return columns


def transaction_columns(policy: Policy, batch: Batch, wanted: frozenset[str]) -> dict[str, Array]:
    """Those of the wanted columns that come from the transactions themselves."""
    columns: dict[str, Array] = {"transaction_id": batch.transaction_id, "currency": batch.currency}
    columns |= {name: batch.texts[name] for name in TEXTS if name in wanted}
    columns |= {"latitude": batch.latitude, "longitude": batch.longitude}
    if "amount" in wanted:
        minor = batch.in_base(policy.base_currency, policy.rates)
        columns["amount"] = minor / 10 ** DECIMALS[policy.base_currency]
    if "hour" in wanted:
        columns["hour"] = (batch.occurred_at // 3_600_000 % 24).astype(np.float64)
    if "night" in wanted:
        columns["night"] = batch.occurred_at // 3_600_000 % 24 < _MORNING
    weekday = (batch.occurred_at // 86_400_000 + 3) % 7  # 1970-01-01 was a Thursday
    if "weekday" in wanted:
        columns["weekday"] = weekday.astype(np.float64)
    if "weekend" in wanted:
        columns["weekend"] = weekday >= _SATURDAY
    for name, kind in policy.attributes.items():
        if f"attributes.{name}" in wanted:
            columns[f"attributes.{name}"] = _attribute(batch, name, kind)
    return columns


def _attribute(batch: Batch, name: str, kind: Kind) -> Array:
    """An attribute as a column of its declared kind; a value of another kind is missing."""
    values = [None if found is None else found.get(name) for found in batch.attributes]
    if kind is Kind.BOOL:
        return np.array([value is True for value in values], bool)
    if kind is Kind.NUMBER:
        numeric = [isinstance(value, int | float) and not isinstance(value, bool) for value in values]
        return np.array([v if n else np.nan for v, n in zip(values, numeric, strict=True)], np.float64)
    return objects(value if isinstance(value, str) else None for value in values)
