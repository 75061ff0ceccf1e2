"""A policy: what is watched, what is measured, what is decided, as one declarative document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from shroff.core.compiled import Array
from shroff.core.expression import Expression, Kind, Program
from shroff.core.features import Layout
from shroff.core.state import State
from shroff.core.transaction import TEXTS

OUTCOMES = ("approve", "challenge", "review", "decline")
"""From mildest to most severe; columns of outcomes hold the position in this tuple."""

SHOWN = re.compile(r"\{([^{}]*)\}")
"""The place of a value in a reason's text."""

TRANSACTION = "transaction"
"""What an alert is about where it is about no entity."""

DERIVED = "derived"
"""The section of features that are computed from others, and what their columns begin with."""

SCORE = "score"
"""The rule that a reason names where a threshold of the score led to the outcome, and no rule alone."""

MODEL = "model"
"""What a reason by the champion's score names in a rule's place, and what its columns begin with."""

TRANSACTION_NAMES: Mapping[str, Kind] = {
    "amount": Kind.NUMBER,
    "currency": Kind.TEXT,
    "hour": Kind.NUMBER,
    "weekday": Kind.NUMBER,
    "night": Kind.BOOL,
    "weekend": Kind.BOOL,
    "latitude": Kind.NUMBER,
    "longitude": Kind.NUMBER,
    "transaction_id": Kind.TEXT,
    **dict.fromkeys(TEXTS, Kind.TEXT),
}
"""What every rule can ask of a transaction.

`amount` is in the base currency, `hour` and `weekday` (Monday is 0) are in UTC; at `night` it is before 6.
"""

WINDOW_NAMES: Mapping[str, Kind] = {
    f"window.{name}": Kind.NUMBER
    for name in ("count", "amount_sum", "amount_mean", "amount_std", "amount_min", "amount_max")
}
"""What a sweep's rule can ask of its group within the swept window, beside the transaction's names."""


def main_entity(entities: Mapping[str, tuple[str, ...]]) -> str:
    """What is meant where a policy does not say: the customer, else the first entity by name."""
    return "customer" if "customer" in entities else min(entities, default=TRANSACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One named expression with what follows where it holds."""

    name: str
    when: Expression
    outcome: int
    """Position in OUTCOMES."""
    score: float
    """How much of a fraud a hit alone makes this, 0 to 1."""
    scored: Expression | None
    """What says that of each hit, where it is not the same of all; held between 0 and 1, and 0 if missing."""
    reason: str
    """A sentence for the analyst; `{name}` stands for a value."""
    entity: str
    """What an alert of this rule is about: an entity, or the transaction alone."""
    shown: tuple[str, ...] = ()
    """Names whose values go into the reason."""

    @property
    def names(self) -> frozenset[str]:
        """The columns that it reads."""
        scored = frozenset[str]() if self.scored is None else self.scored.names
        return self.when.names | scored | frozenset(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRule:
    """One finding that a sweep makes, and how it is scored."""

    name: str
    when: Expression
    reason: str
    score: Expression


@dataclass(frozen=True, kw_only=True)
class SweepPlan:
    """The periodic look-back: how often, how far, by what, for what."""

    every: int = 300_000
    window: int = 300_000
    by: str = "customer"
    rules: tuple[SweepRule, ...] = ()

    @cached_property
    def program(self) -> Program:
        """Two expressions a rule: when, and the score."""
        return Program([expression for rule in self.rules for expression in (rule.when, rule.score)])


class Scorer(Protocol):
    """What deciding asks of a model; it answers the same whatever else is in the batch."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that it reads, in its order."""

    @property
    def trained(self) -> Mapping[str, Any]:
        """How it came about; `usual` has feature → what that usually is."""

    def score(self, rows: Array, /) -> Array:
        """The chance of fraud [n], 0 to 1, from its columns [n, features]; NaN is missing."""

    def contributions(self, rows: Array, /) -> Array:
        """What each feature adds to the log-odds [n, features + 1]; the last column is where they begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """Which models score a transaction, by the hashes of their content, and what follows from the score."""

    version: str
    """The champion, whose score counts."""
    shadow: tuple[str, ...] = ()
    """Challengers, whose scores are kept and change nothing."""
    thresholds: Mapping[int, float] = field(default_factory=dict)
    """Outcome → the champion's least score that alone leads to it."""
    reasons_from: float = 0.5
    """The champion's least score that is explained."""
    reasons: int = 3
    """How many features explain it."""

    @property
    def versions(self) -> tuple[str, ...]:
        """All that score, the champion first."""
        return (self.version, *self.shadow)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A checked policy; every expression in it is compiled once, on first use."""

    name: str
    version: str
    """Hash of the content, the `policy_version` on every decision."""
    document: str
    """The TOML text as it was published."""
    base_currency: str
    lateness: int
    """Milliseconds by which a transaction may be late and still meet whole windows."""
    alert_window: int
    alert_from: int
    """The mildest outcome that raises an alert, a position in OUTCOMES."""
    rates: Mapping[str, Decimal]
    entities: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Kind]
    layouts: tuple[Layout, ...]
    derived: Mapping[str, Expression]
    """Column → what computes it from the transaction and the features."""
    lists: Mapping[str, str]
    """List → the transaction's member that is looked up in it."""
    rules: tuple[Rule, ...]
    thresholds: Mapping[int, float]
    """Outcome → the least score that leads to it."""
    sweep: SweepPlan = field(default_factory=SweepPlan)
    model: ModelPlan | None = None
    models: Mapping[str, Scorer] = field(default_factory=dict)
    """The models that the plan names, by version; a policy that was only read has none of them yet."""

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that observing gives."""
        return tuple(each.name for layout in self.layouts for each in layout.features)

    @cached_property
    def snapshot_names(self) -> tuple[str, ...]:
        """The columns of a stored snapshot: all features, one 0/1 column a list, a score a model."""
        versions = () if self.model is None else self.model.versions
        listed = (f"list.{name}" for name in self.lists)
        return (*self.feature_names, *listed, *(f"{MODEL}.{version}" for version in versions))

    @cached_property
    def number_names(self) -> frozenset[str]:
        """The columns that a model can be given."""
        known = (name for name, kind in TRANSACTION_NAMES.items() if kind is not Kind.TEXT)
        told = (f"attributes.{name}" for name, kind in self.attributes.items() if kind is not Kind.TEXT)
        listed = (f"list.{name}" for name in self.lists)
        return frozenset((*known, *told, *self.feature_names, *self.derived, *listed))

    @cached_property
    def program(self) -> Program:
        """One expression a rule."""
        return Program([rule.when for rule in self.rules])

    @cached_property
    def scored(self) -> Mapping[str, Expression]:
        """Rule → what scores its hits, of those where that is not a number."""
        return {rule.name: rule.scored for rule in self.rules if rule.scored is not None}

    @cached_property
    def scoring(self) -> Program:
        """The expressions of `scored`, in its order."""
        return Program(list(self.scored.values()))

    @cached_property
    def deriving(self) -> Program:
        """The expressions of `derived`, in its order."""
        return Program(list(self.derived.values()))

    @cached_property
    def names_used(self) -> frozenset[str]:
        """The columns that rules, their reasons and the models read, and what those are derived from."""
        used = set[str]().union(*(rule.names for rule in self.rules))
        used.update(*(model.features for model in self.models.values()))
        return frozenset(used | self.deriving.names if used & self.derived.keys() else used)

    @cached_property
    def state_key(self) -> str:
        """Equal for two policies exactly where one's state serves the other."""
        rates = sorted((currency, str(rate)) for currency, rate in self.rates.items())
        return repr((self.base_currency, rates, self.layouts))

    def empty_state(self) -> State:
        """What is remembered before the first transaction."""
        return State.empty(self.layouts, self.base_currency, self.rates)
