"""Scoring a batch by the models that a policy names, and saying what moved the champion's score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from shroff.core.compiled import Array
from shroff.core.features import Feature
from shroff.core.phrases import phrase, plain_phrase
from shroff.core.policy import ModelPlan, Policy, Scorer

Columns = Mapping[str, Array]


def scores_of(policy: Policy, columns: Columns, n: int) -> Array:
    """Scores [n, models], the champion's first; no column where the policy names no model.

    To six decimals: machines may disagree on the last bits of an exponential.
    """
    if policy.model is None:
        return np.empty((n, 0))
    missing = [version for version in policy.model.versions if version not in policy.models]
    if missing:
        raise LookupError(f"the policy was not given its models: {', '.join(missing)}")
    models = [policy.models[version] for version in policy.model.versions]
    scored = [np.asarray(model.score(inputs(model, columns, n)), np.float64) for model in models]
    return np.round(np.column_stack(scored), 6)


def inputs(model: Scorer, columns: Columns, n: int) -> Array:
    """A model's columns [n, features] as it was trained on them; what is true is 1."""
    table = np.empty((n, len(model.features)))
    for at, name in enumerate(model.features):
        table[:, at] = columns[name]
    return table


def outcomes_by(plan: ModelPlan, scores: Array) -> Array:
    """The outcomes [n] int8 to which scores alone lead."""
    outcomes = np.zeros(len(scores), np.int8)
    for outcome, least in plan.thresholds.items():
        np.maximum(outcomes, outcome, out=outcomes, where=scores >= least)
    return outcomes


def moved(
    policy: Policy, plan: ModelPlan, columns: Columns, rows: Array
) -> Iterator[tuple[str, dict[str, float | None]]]:
    """For each of the rows what moved the champion's score: in words, and in figures.

    The figures are the values of the features that count most, and what each added to the log-odds: with
    `log_odds.others` and `log_odds.base` they sum up to `log_odds`.
    """
    model = policy.models[plan.version]
    table = inputs(model, {name: columns[name][rows] for name in model.features}, len(rows))
    known = {each.name: each for layout in policy.layouts for each in layout.features}
    for values, added in zip(table, model.contributions(table), strict=True):
        # Equal contributions in the order of their names, so that a replay finds the same.
        order = sorted(range(len(model.features)), key=lambda at: (-added[at], model.features[at]))
        chosen = [at for at in order[: plan.reasons] if added[at] > 0]
        said = [_said(known, model, at, values[at]) for at in chosen]
        yield ". ".join(said), _figures(model, values, added, chosen)


def _said(known: Mapping[str, Feature], model: Scorer, at: int, cell: float) -> str:
    name, value = model.features[at], None if math.isnan(cell) else float(cell)
    usual = model.trained.get("usual", {}).get(name)
    said = phrase(known[name], value, usual) if name in known else plain_phrase(name, value, usual)
    return said[:1].upper() + said[1:]


def _figures(model: Scorer, values: Array, added: Array, chosen: list[int]) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for at in chosen:
        figures[model.features[at]] = _figure(values[at])
    for at in chosen:
        figures[f"log_odds.{model.features[at]}"] = _figure(added[at])
    others = [float(added[at]) for at in range(len(model.features)) if at not in chosen]
    figures["log_odds.others"] = _figure(math.fsum(others))
    figures["log_odds.base"] = _figure(added[-1])
    figures["log_odds"] = _figure(math.fsum(added.tolist()))
    return figures


def _figure(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
