"""Deciding a batch: outcome, score and reasons from features and rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from msgspec import Struct

from shroff.core.columns import Batch, objects
from shroff.core.compiled import Array
from shroff.core.expression import Kind
from shroff.core.money import DECIMALS
from shroff.core.policy import MODEL, OUTCOMES, SCORE, SHOWN, Policy, Rule
from shroff.core.scores import moved, outcomes_by, scores_of
from shroff.core.transaction import TEXTS

Value = float | str | bool | None

_MORNING, _SATURDAY = 6, 5


class Reason(Struct, frozen=True, kw_only=True, gc=False):
    """Why a decision is what it is: one hit, with the values that made it."""

    rule: str
    outcome: str
    score: float
    reason: str
    values: dict[str, Value]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What the rules found in a batch of n, in columns."""

    outcomes: Array
    """[n] int8, positions in OUTCOMES."""
    severity: Array
    """[n] int8, the outcomes as they would be without the thresholds of the joined score."""
    scores: Array
    """[n] float64, 0 to 1."""
    rules: Array
    """[rules, n] bool."""
    scored: Mapping[str, Array]
    """Rule → the scores [n] of its hits, where that varies."""

    def score(self, rule: Rule, rows: Array) -> Array:
        """What each of the rows that a rule hit scores by it."""
        return self.scored[rule.name][rows] if rule.name in self.scored else np.full(len(rows), rule.score)


def snapshot(features: Array, listed: Mapping[str, Array]) -> Array:
    """Features [n, f] beside list hits: what decisions are made from, and can be made from again."""
    return np.hstack([features, *(hit.astype(np.float64)[:, None] for hit in listed.values())])


def decide(policy: Policy, batch: Batch, snapshots: Array, decided_at: int) -> list[Decision]:
    """One decision a row of the batch, from its snapshot [n, f + lists]."""
    columns = columns_of(policy, batch, snapshots)
    scores = scores_of(policy, columns, len(batch))
    hits = find(policy, columns, len(batch), scores)
    reasons = _reasons(policy, columns, hits, scores)
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


def find(policy: Policy, columns: Mapping[str, Array], n: int, scores: Array | None = None) -> Hits:
    """Evaluate all rules over the columns, and join their hits: highest outcome, noisy-or of the scores.

    Of the models' scores [n, models] the champion's, which is the first, counts as a hit of that score;
    without them the rules are alone.
    """
    found = np.array(policy.program.run(columns, n), bool).reshape(len(policy.rules), n)
    scored = _scored(policy, columns, n)
    severity, honest = np.zeros(n, np.int8), np.ones(n)
    # Rule by rule: a product along the rows could round differently in batches of another size.
    for at in np.flatnonzero(found.any(axis=1)):
        rule, hit = policy.rules[at], found[at]
        np.maximum(severity, rule.outcome, out=severity, where=hit)
        np.multiply(honest, 1.0 - scored.get(rule.name, rule.score), out=honest, where=hit)
    if policy.model is not None and scores is not None:
        np.maximum(severity, outcomes_by(policy.model, scores[:, 0]), out=severity)
        np.multiply(honest, 1.0 - scores[:, 0], out=honest)
    # Six decimals: more would show the order in which the product was taken.
    joined = np.round(1.0 - honest, 6)
    outcomes = severity.copy()
    for outcome, least in policy.thresholds.items():
        np.maximum(outcomes, outcome, out=outcomes, where=joined >= least)
    return Hits(outcomes=outcomes, severity=severity, scores=joined, rules=found, scored=scored)


def _scored(policy: Policy, columns: Mapping[str, Array], n: int) -> dict[str, Array]:
    """Rule → the scores [n] of its hits, where that varies; to six decimals, as models' scores are."""
    if not policy.scored:
        return {}
    found = policy.scoring.run(columns, n)
    clear = (np.round(np.clip(np.nan_to_num(each), 0.0, 1.0), 6) for each in found)
    return dict(zip(policy.scored, clear, strict=True))


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


def _reasons(
    policy: Policy, columns: Mapping[str, Array], hits: Hits, scores: Array
) -> dict[int, list[Reason]]:
    """Row → why, rule by rule, then by the model; last the score, where it alone led to the outcome."""
    found: dict[int, list[Reason]] = {}
    for at in np.flatnonzero(hits.rules.any(axis=1)):
        rows = np.flatnonzero(hits.rules[at])
        rule = policy.rules[at]
        why = _reasons_of(rule, columns, rows, hits.score(rule, rows))
        for row, reason in zip(rows.tolist(), why, strict=True):
            found.setdefault(row, []).append(reason)
    for row, by_model in _by_model(policy, columns, scores):
        found.setdefault(row, []).append(by_model)
    who = "All rules" if policy.model is None else "All rules and the model"
    for row in np.flatnonzero(hits.outcomes > hits.severity).tolist():
        outcome = int(hits.outcomes[row])
        found.setdefault(row, []).append(
            _by_score(who, float(hits.scores[row]), outcome, policy.thresholds[outcome])
        )
    return found


def _by_model(policy: Policy, columns: Mapping[str, Array], scores: Array) -> Iterator[tuple[int, Reason]]:
    """(row, why) where the champion's score is high enough to be explained, or leads to an outcome."""
    plan = policy.model
    if plan is None:
        return
    champion = scores[:, 0]
    outcomes = outcomes_by(plan, champion)
    rows = np.flatnonzero((champion >= plan.reasons_from) | (outcomes > 0))
    if not len(rows):
        return
    for row, (said, figures) in zip(rows.tolist(), moved(policy, plan, columns, rows), strict=True):
        score = float(champion[row])
        yield (
            row,
            Reason(
                rule=MODEL,
                outcome=OUTCOMES[outcomes[row]],
                score=score,
                reason=f"The model scores {score:.2f}" + (f": {said}" if said else ""),
                values={"score": score, **figures},
            ),
        )


def _reasons_of(rule: Rule, columns: Mapping[str, Array], rows: Array, scores: Array) -> Iterator[Reason]:
    names = sorted(rule.names)
    cells = [_cells(columns[name][rows]) for name in names]
    texts = _told(rule.reason, dict(zip(names, cells, strict=True)), len(rows))
    across = zip(*cells, strict=True) if names else repeat((), len(rows))
    for score, text, row in zip(scores.tolist(), texts, across, strict=True):
        values = dict(zip(names, row, strict=True))
        yield Reason(rule=rule.name, outcome=OUTCOMES[rule.outcome], score=score, reason=text, values=values)


def _told(reason: str, cells: Mapping[str, list[Value]], n: int) -> list[str]:
    """The reason of each of n rows, with their values in place of the names."""
    parts = SHOWN.split(reason)
    if len(parts) == 1:
        return [reason] * n
    words = "{}".join(part.replace("{", "{{").replace("}", "}}") for part in parts[::2])
    return [*map(words.format, *(map(_shown, cells[name]) for name in parts[1::2]))]


def _by_score(who: str, score: float, outcome: int, least: float) -> Reason:
    return Reason(
        rule=SCORE,
        outcome=OUTCOMES[outcome],
        score=score,
        reason=f"{who} together score {score:.2f}, and {OUTCOMES[outcome]} begins at {least:.2f}",
        values={"score": score},
    )


def _cells(column: Array) -> list[Value]:
    """The values as reasons keep them: numbers to six decimals, None where they are missing."""
    cells: list[Value] = column.tolist()
    if column.dtype == np.float64:
        # Whole numbers and cents, which is most, are the same to six decimals; `round` itself is slow.
        with np.errstate(over="ignore"):
            others = np.flatnonzero(np.rint(column * 1e6) / 1e6 != column)
        for at, cell in zip(others.tolist(), column[others].tolist(), strict=True):
            cells[at] = None if math.isnan(cell) else round(cell, 6)
    return cells


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)
