"""Alerts: what an analyst is asked to look at, once per entity, rule and window of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from shroff.core.columns import Batch
from shroff.core.decision import Decision
from shroff.core.policy import MODEL, OUTCOMES, SCORE, TRANSACTION, Policy, main_entity
from shroff.core.reasons import Reason
from shroff.core.transaction import JOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look at; hits that say the same again are counted on it."""

    alert_id: str
    """The same for every hit of one rule on one entity in one window of time."""
    rule: str
    entity: str
    key: str
    """Which customer, card, …; several fields are joined by a comma."""
    outcome: str
    score: float
    """The highest of its hits."""
    reason: str
    transaction_id: str
    """The transaction that raised it first."""
    occurred_at: int
    raised_at: int
    hits: int = 1


def raise_alerts(policy: Policy, batch: Batch, decisions: Sequence[Decision], raised_at: int) -> list[Alert]:
    """The alerts of a decided batch: hits that say the same are one, with the highest score of all."""
    severe = frozenset(OUTCOMES[policy.alert_from :])
    main = main_entity(policy.entities)
    about = {SCORE: main, MODEL: main} | {rule.name: rule.entity for rule in policy.rules}
    keys: dict[str, list[str | None]] = {TRANSACTION: [None] * len(batch)}
    windows = (batch.occurred_at // policy.alert_window).tolist()
    found: dict[tuple[str, str, str, int], list[tuple[int, Reason]]] = {}
    for row, decision in enumerate(decisions):
        for reason in decision.reasons:
            if reason.outcome not in severe:
                continue
            entity = about[reason.rule]
            if entity not in keys:
                keys[entity] = batch.keys(policy.entities[entity])
            key = keys[entity][row]
            # Without its entity a transaction stands for itself.
            subject = (TRANSACTION, decision.transaction_id) if key is None else (entity, key)
            found.setdefault((_said(policy, reason), *subject, windows[row]), []).append((row, reason))
    return [
        _alert(same, hits, decisions, int(batch.occurred_at[hits[0][0]]), raised_at)
        for same, hits in found.items()
    ]


def _said(policy: Policy, reason: Reason) -> str:
    """What a reason says."""
    # A score alone leads to different outcomes: a worse one is another thing to look at.
    by_score = reason.rule == SCORE or (reason.rule == MODEL and policy.model is not None)
    return f"{reason.rule}.{reason.outcome}" if by_score else reason.rule


def _alert(
    same: tuple[str, str, str, int],
    hits: Sequence[tuple[int, Reason]],
    decisions: Sequence[Decision],
    occurred_at: int,
    raised_at: int,
) -> Alert:
    said, entity, key, window = same
    row, reason = hits[0]
    return Alert(
        alert_id=alert_id(said, entity, key, window),
        rule=reason.rule,
        entity=entity,
        key=key.replace(JOINT, ", "),
        outcome=reason.outcome,
        score=max(decisions[row].score for row, _ in hits),
        reason=reason.reason,
        transaction_id=decisions[row].transaction_id,
        occurred_at=occurred_at,
        raised_at=raised_at,
        hits=len(hits),
    )


def merge(alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts with the same id as one: the first, with all hits and the highest score."""
    merged: dict[str, Alert] = {}
    for alert in alerts:
        first = merged.get(alert.alert_id)
        merged[alert.alert_id] = (
            alert
            if first is None
            else replace(first, hits=first.hits + alert.hits, score=max(first.score, alert.score))
        )
    return list(merged.values())


def alert_id(rule: str, entity: str, key: str, window: int | str) -> str:
    """A stable id: what arrives twice raises nothing twice."""
    text = JOINT.join((rule, entity, key, str(window)))
    return blake2b(text.encode(), digest_size=10).hexdigest()
