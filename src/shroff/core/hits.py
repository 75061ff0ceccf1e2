"""What the rules find in a batch, and how hits join to one outcome and one score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy import Policy, Rule
from shroff.core.scores import outcomes_by


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
