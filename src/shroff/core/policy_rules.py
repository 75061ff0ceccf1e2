"""Reading a policy's rules: those of decisions, and those of the sweep."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from shroff.core.expression import Expression, Kind
from shroff.core.policy import (
    SCORE,
    SHOWN,
    TRANSACTION,
    WINDOW_NAMES,
    Rule,
    SweepPlan,
    SweepRule,
    main_entity,
)
from shroff.core.policy_section import Section

Names = Mapping[str, Kind]
Entities = Mapping[str, tuple[str, ...]]


def read_rules(document: Section, names: Names, entities: Entities) -> tuple[Rule, ...]:
    """The rules of decisions, in the order of the document."""
    found = [_rule(section, names, entities) for section in document.tables("rules")]
    return tuple(rule for rule in found if rule is not None)


def _rule(section: Section, names: Names, entities: Entities) -> Rule | None:
    section.only("name", "when", "outcome", "score", "reason", "entity")
    name = section.name()
    if name == SCORE:
        section.fault("name", f'"{SCORE}" is what decisions by their score are reasoned with')
    when = section.expression("when", names, Kind.BOOL)
    outcome = section.outcome("outcome")
    varies = isinstance(section.content.get("score"), str)
    scored = section.expression("score", names, Kind.NUMBER) if varies else None
    score = Decimal(0) if varies else section.number("score", Decimal(0), Decimal(1), default=0)
    reason = section.text("reason", name or "a rule")
    shown = tuple(dict.fromkeys(SHOWN.findall(reason)))
    for each in shown:
        if each not in names:
            section.unknown("reason", "name", each, names)
    entity = section.choice("entity", "entity", (*entities, TRANSACTION), _about(when, entities))
    if name is None or when is None or score is None:
        return None
    return Rule(
        name=name, when=when, outcome=outcome, score=float(score), scored=scored, reason=reason,
        entity=entity, shown=shown,
    )  # fmt: skip


def _about(when: Expression | None, entities: Entities) -> str:
    """The entity that a rule is about where it does not say: one that its expression asks of."""
    asked = {name.split(".")[0] for name in (when.names if when else ())}
    return min(asked & entities.keys(), default=main_entity(entities))


def read_sweep(section: Section, of_transaction: Names, entities: Entities) -> SweepPlan:
    """The periodic look-back; without a section one that finds nothing."""
    if not section.content:
        return SweepPlan()
    section.only("every", "window", "by", "rules")
    names = {**of_transaction, **WINDOW_NAMES}
    found = [_sweep_rule(each, names) for each in section.tables("rules")]
    return SweepPlan(
        every=section.duration("every", "5m"),
        window=section.duration("window", "5m"),
        by=section.choice("by", "entity", entities, main_entity(entities)),
        rules=tuple(rule for rule in found if rule is not None),
    )


def _sweep_rule(section: Section, names: Names) -> SweepRule | None:
    section.only("name", "when", "reason", "score")
    name = section.name()
    when = section.expression("when", names, Kind.BOOL)
    score = section.expression("score", names, Kind.NUMBER)
    reason = section.text("reason", name or "a finding")
    if name is None or when is None or score is None:
        return None
    return SweepRule(name=name, when=when, reason=reason, score=score)
