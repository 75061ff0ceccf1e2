"""Why a decision is what it is, in words and with the values that made it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from typing import Any

import numpy as np
from msgspec import Struct

from shroff.core.compiled import Array
from shroff.core.hits import Hits
from shroff.core.policy import MODEL, OUTCOMES, SCORE, SHOWN, Policy, Rule
from shroff.core.scores import moved, outcomes_by

Value = float | str | bool | None


class Reason(Struct, frozen=True, kw_only=True, gc=False):
    """Why a decision is what it is: one hit, with the values that made it."""

    rule: str
    outcome: str
    score: float
    reason: str
    values: dict[str, Value]


def reasons_of(
    policy: Policy, columns: Mapping[str, Array], hits: Hits, scores: Array
) -> dict[int, list[Reason]]:
    """Row → why, rule by rule, then by the model; last the score, where it alone led to the outcome."""
    found: dict[int, list[Reason]] = {}
    rows = np.flatnonzero(hits.rules.any(axis=0))
    cells = _Cells(columns, rows)
    for at in np.flatnonzero(hits.rules.any(axis=1)):
        rule, hit = policy.rules[at], hits.rules[at][rows]
        why = _by_rule(rule, cells, hit.tolist(), hits.score(rule, rows[hit]).tolist())
        for row, reason in zip(rows[hit].tolist(), why, strict=True):
            found.setdefault(row, []).append(reason)
    for row, by_model in _by_model(policy, columns, scores):
        found.setdefault(row, []).append(by_model)
    who = "All rules" if policy.model is None else "All rules and the model"
    rows = np.flatnonzero(hits.outcomes > hits.severity)
    led = zip(rows.tolist(), hits.outcomes[rows].tolist(), hits.scores[rows].tolist(), strict=True)
    for row, outcome, score in led:
        found.setdefault(row, []).append(_by_score(who, score, outcome, policy.thresholds[outcome]))
    return found


class _Cells:
    """Columns at the rows that any rule hit, as reasons keep and tell them: made once for all rules."""

    def __init__(self, columns: Mapping[str, Array], rows: Array) -> None:
        self._columns, self._rows = columns, rows
        self._values: dict[str, list[Value]] = {}
        self._words: dict[str, list[str]] = {}

    def values(self, name: str) -> list[Value]:
        if name not in self._values:
            self._values[name] = _kept(self._columns[name][self._rows])
        return self._values[name]

    def words(self, name: str) -> list[str]:
        if name not in self._words:
            self._words[name] = _shown(self.values(name))
        return self._words[name]


def _by_rule(rule: Rule, cells: _Cells, hit: Sequence[bool], scores: Sequence[float]) -> list[Reason]:
    """The reasons of a rule's hits, with what each scores."""
    names, outcome = sorted(rule.names), OUTCOMES[rule.outcome]
    rows = _across([cells.values(name) for name in names], hit, len(scores))
    parts = SHOWN.split(rule.reason)
    told = _across([cells.words(name) for name in parts[1::2]], hit, len(scores))
    words = "%s".join(part.replace("%", "%%") for part in parts[::2])
    # To ask `zip` whether each row has as many cells as there are names takes as long as all the rest.
    values = [dict(zip(names, row)) for row in rows]  # noqa: B905
    return [
        Reason(rule=rule.name, outcome=outcome, score=score, reason=words % said, values=each)
        for score, said, each in zip(scores, told, values, strict=True)
    ]


def _across(columns: Sequence[Sequence[Any]], hit: Sequence[bool], n: int) -> Iterable[tuple[Any, ...]]:
    """The n rows that are hit, each a tuple of cells."""
    return zip(*(compress(column, hit) for column in columns), strict=True) if columns else repeat((), n)


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


def _by_score(who: str, score: float, outcome: int, least: float) -> Reason:
    return Reason(
        rule=SCORE,
        outcome=OUTCOMES[outcome],
        score=score,
        reason=f"{who} together score {score:.2f}, and {OUTCOMES[outcome]} begins at {least:.2f}",
        values={"score": score},
    )


def _kept(column: Array) -> list[Value]:
    """The values as reasons keep them: numbers to six decimals, None where they are missing."""
    cells: list[Value] = column.tolist()
    if column.dtype == np.float64:
        # Whole numbers and cents, which is most, are the same to six decimals; `round` itself is slow.
        with np.errstate(over="ignore"):
            others = np.flatnonzero(np.rint(column * 1e6) / 1e6 != column)
        for at, cell in zip(others.tolist(), column[others].tolist(), strict=True):
            cells[at] = None if math.isnan(cell) else round(cell, 6)
    return cells


def _shown(values: Sequence[Value]) -> list[str]:
    return [
        f"{cell:,.2f}".removesuffix(".00")
        if isinstance(cell, float)
        else str("none" if cell is None else cell)
        for cell in values
    ]
