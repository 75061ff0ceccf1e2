"""Reading which models a policy names, and what follows from scores."""

from __future__ import annotations

import re
from decimal import Decimal

from shroff.core.errors import Fault
from shroff.core.policy import OUTCOMES, ModelPlan
from shroff.core.policy_section import Section

_VERSION = re.compile(r"[0-9a-f]{8,64}")
_MOST_SHADOWS = 8


def read_thresholds(section: Section) -> dict[int, float]:
    """Outcome → the least score that leads to it; the more severe, the higher."""
    section.only(*OUTCOMES[1:])
    found = {}
    for outcome, name in enumerate(OUTCOMES[1:], 1):
        if name in section.content:
            score = section.number(name, Decimal(0), Decimal(1))
            if score is not None:
                found[outcome] = float(score)
    if list(found.values()) != sorted(found.values()):
        sentence = f"{section.place}: must rise from {' to '.join(OUTCOMES[1:])}"
        section.faults.append(Fault(section.place, sentence))
    return found


def read_model_plan(section: Section) -> ModelPlan | None:
    """The champion and its challengers; None without a section."""
    if not section.content:
        return None
    section.only("version", "shadow", "thresholds", "reasons_from", "reasons")
    thresholds = read_thresholds(section.table("thresholds"))
    least = min(thresholds.values(), default=0.5)
    if "reasons_from" in section.content:
        least = float(section.number("reasons_from", Decimal(0), Decimal(1)) or 0)
    reasons = section.number("reasons", Decimal(1), Decimal(10), default=3)
    return ModelPlan(
        version=_version(section, "version", section.content.get("version")),
        shadow=_shadow(section),
        thresholds=thresholds,
        reasons_from=least,
        reasons=int(reasons or 3),
    )


def _version(section: Section, key: str, value: object) -> str:
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return value
    section.fault(key, "must be the version of a model, as `shroff model list` shows it")
    return ""


def _shadow(section: Section) -> tuple[str, ...]:
    listed = section.content.get("shadow", [])
    if not isinstance(listed, list) or len(listed) > _MOST_SHADOWS:
        section.fault("shadow", f"must be a list of at most {_MOST_SHADOWS} versions of models")
        return ()
    found = tuple(_version(section, "shadow", each) for each in listed)
    if len({section.content.get("version"), *found}) <= len(found):
        section.fault("shadow", "names a model twice, or the one that decides")
    return found
