"""Deciding a batch: outcome, score and reasons from features and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.expression import Kind
from shroff.core.money import DECIMALS
from shroff.core.policy import OUTCOMES, Policy, Rule
from shroff.core.transaction import TEXTS

Value = float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a decision is what it is: one hit, with the values that made it."""

    rule: str
    outcome: str
    score: float
    reason: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided of one transaction, with all that it was decided from."""

    transaction_id: str
    outcome: str
    score: float
    reasons: tuple[Reason, ...]
    snapshot: bytes
    """Features and list hits as little-endian float64 in the order of the policy's `snapshot_names`; NaN is missing."""
    policy_version: str
    decided_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What the rules found in a batch of n, in columns."""

    outcomes: Array
    """[n] int8, positions in OUTCOMES."""
    scores: Array
    """[n] float64, 0 to 1."""
    rules: Array
    """[n, rules] bool."""


def snapshot(features: Array, listed: Mapping[str, Array]) -> Array:
    """Features [n, f] beside list hits: what decisions are made from, and can be made from again."""
    return np.hstack([features, *(hit.astype(np.float64)[:, None] for hit in listed.values())])


def decide(policy: Policy, batch: Batch, snapshots: Array, decided_at: int) -> list[Decision]:
    """One decision a row of the batch, from its snapshot [n, f + lists]."""
    columns = columns_of(policy, batch, snapshots)
    hits = find(policy, columns, len(batch))
    stored = np.ascontiguousarray(snapshots, "<f8")
    return [
        Decision(
            transaction_id=transaction_id,
            outcome=OUTCOMES[outcome],
            score=score,
            reasons=tuple(_reason(policy.rules[at], columns, row) for at in np.flatnonzero(hit)) if any_hit else (),
            snapshot=stored[row].tobytes(),
            policy_version=policy.version,
            decided_at=decided_at,
        )
        for row, (transaction_id, outcome, score, any_hit, hit) in enumerate(
            zip(
                batch.transaction_id,
                hits.outcomes.tolist(),
                hits.scores.tolist(),
                hits.rules.any(axis=1).tolist(),
                hits.rules,
                strict=True,
            )
        )
    ]


def find(policy: Policy, columns: Mapping[str, Array], n: int) -> Hits:
    """Evaluate all rules over the columns, and join their hits: highest outcome, noisy-or of the scores."""
    rules = np.empty((n, len(policy.rules)), bool)
    for at, hit in enumerate(policy.program.run(columns, n)):
        rules[:, at] = hit
    severity = np.array([rule.outcome for rule in policy.rules], np.int8)
    weight = np.array([rule.score for rule in policy.rules])
    scores = 1.0 - np.where(rules, 1.0 - weight, 1.0).prod(axis=1)
    # Six decimals: more would show the order in which the product was taken.
    scores = np.round(scores, 6)
    outcomes = np.where(rules, severity, 0).max(axis=1, initial=0)
    for outcome, least in policy.thresholds.items():
        outcomes = np.maximum(outcomes, np.where(scores >= least, outcome, 0))
    return Hits(outcomes=outcomes.astype(np.int8), scores=scores, rules=rules)


def columns_of(policy: Policy, batch: Batch, snapshots: Array) -> dict[str, Array]:
    """The columns that the policy's rules and reasons name."""
    wanted = policy.names_used
    columns = transaction_columns(policy, batch, wanted)
    for at, name in enumerate(policy.snapshot_names):
        if name in wanted:
            column = snapshots[:, at]
            columns[name] = column != 0 if name.startswith("list.") else column
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
    if "weekday" in wanted:  # 1970-01-01 was a Thursday
        columns["weekday"] = ((batch.occurred_at // 86_400_000 + 3) % 7).astype(np.float64)
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
    column = np.empty(len(values), object)
    column[:] = [value if isinstance(value, str) else None for value in values]
    return column


def _reason(rule: Rule, columns: Mapping[str, Array], row: int) -> Reason:
    values = {name: _value(columns[name][row]) for name in sorted({*rule.when.names, *rule.shown})}
    text = rule.reason
    for name in rule.shown:
        text = text.replace(f"{{{name}}}", _shown(values[name]))
    return Reason(rule=rule.name, outcome=OUTCOMES[rule.outcome], score=rule.score, reason=text, values=values)


def _value(cell: object) -> Value:
    if isinstance(cell, np.bool_):
        return bool(cell)
    if isinstance(cell, np.floating):
        return None if np.isnan(cell) else round(float(cell), 6)
    return cell if cell is None else str(cell)


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)
