"""A score without labels, for the first day: how unusual a transaction is beside what history is used to.

It is a model like any other: trees and a calibration over the policy's features, so all that serves models
serves it. What its score says is rarity, not the probability of fraud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.decision import transaction_columns
from shroff.core.errors import Fault, Rejected
from shroff.core.features import KNOWN_OPERATIONS, RUN_OPERATIONS, Feature
from shroff.core.isolation import Growth, isolate, rarity
from shroff.core.metrics import average_precision, card_precision_at_k, recall_at
from shroff.core.model import Model
from shroff.core.observe import observe
from shroff.core.policy import Policy, main_entity
from shroff.flows.evaluate.columns import rule_scores
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.prequential import cards_of
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import NEVER, Timeline, span

MEANING = (
    "rarity, not a probability of fraud: 1 in 10 transactions of its history score above 0, "
    "1 in 100 above 0.1, 1 in 1,000 above 0.2"
)
REVIEW_FROM = 0.2
"""The threshold that the model proposes: one in a thousand is looked at for being unusual alone."""

_MOMENT = DAY
"""Longer windows say who the customer is; what happens now shows in those up to a day."""
_HABITS = frozenset(
    {"amount_surprise", "amount_distance", "amount_rank", "surprise_max", "surprise_count", "since_surprise"}
)
"""Operations that compare with the habit of their window, so that it may be of any length."""
_WARM = 7 * DAY
_ROWS = 50_000
_FEWEST = 1_000

Show = Callable[[int, int], None]
Track = Callable[[str, int, str], AbstractContextManager[Show]]
"""Begins a phase: its name, how much there is to do, and of what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Columns of a history without the days in which its windows filled up."""

    history: History
    policy: Policy
    rows: slice
    """The transactions after those days."""
    names: tuple[str, ...]
    columns: Array
    """[m, f] of these rows."""
    rules: Array
    """[m] what the policy's rules alone score."""


def looked_at(policy: Policy) -> tuple[Feature, ...]:
    """The policy's features in which the unusual shows, and what is said of labels does not."""
    told = KNOWN_OPERATIONS.keys() | RUN_OPERATIONS.keys()
    found = (each for layout in policy.layouts for each in layout.features)
    short = (each for each in found if each.window <= _MOMENT or each.operation in _HABITS)
    return tuple(each for each in short if each.operation not in told)


def measure(history: History, policy: Policy, *, track: Track) -> Measured:
    """The amount and the features looked at, day after day; no label is learned at all.

    Raises Rejected where fewer than 1,000 transactions are left once the windows have filled up.
    """
    if not len(history):
        raise Rejected([Fault("file", "there is no transaction to learn from")])
    wanted = looked_at(policy)
    places = [policy.feature_names.index(each.name) for each in wanted]
    when = history.batch.occurred_at
    first, last = int(when[0]) // DAY * DAY, int(when[-1])
    begin = first + min(_WARM, (last - first) // 4)
    rows = slice(int(np.searchsorted(when, begin)), len(history))
    line = Timeline(policy=policy, history=history, measure=observe, known_at=np.full(len(history), NEVER))
    columns, rules = np.empty((len(history), 1 + len(places))), np.empty(len(history))
    with track("features", (last - first) // DAY + 1, "days") as show:
        for number, day in enumerate(range(first, last + 1, DAY), 1):
            here = span(history, day, day + DAY)
            batch, features = taken(history.batch, here), line.live(here, day + DAY)
            columns[here, 0] = transaction_columns(policy, batch, frozenset({"amount"}))["amount"]
            columns[here, 1:] = features[:, places]
            rules[here] = rule_scores(policy, batch, features)
            show(number, here.stop)
    if rows.stop - rows.start < _FEWEST:
        sentence = (
            f"what is usual takes at least {_FEWEST} transactions after the first days; give more history"
        )
        raise Rejected([Fault("file", sentence)])
    return Measured(
        history=history,
        policy=policy,
        rows=rows,
        names=("amount", *(each.name for each in wanted)),
        columns=columns[rows],
        rules=rules[rows],
    )


def train_unsupervised(measured: Measured, *, name: str, seed: int) -> Model:
    """A model of what is usual in these columns: the same columns and seed give the same model.

    Raises Rejected where nothing varies.
    """
    columns, growth = measured.columns, Growth(seed=seed)
    dice = np.random.default_rng(seed)
    rows = np.sort(dice.choice(len(columns), min(_ROWS, len(columns)), replace=False))
    varies = np.array([len(np.unique(each[~np.isnan(each)])) > 1 for each in columns[rows].T])
    if not varies.any():
        raise Rejected([Fault("file", "all transactions look the same: nothing is unusual among them")])
    names = tuple(each for each, kept in zip(measured.names, varies, strict=True) if kept)
    seen = columns[np.ix_(rows, varies)]
    smaller = np.array([".since_" in each for each in names], bool)
    trees = isolate(seen, smaller, growth)
    return Model(
        name=name,
        features=names,
        trees=trees,
        calibration=rarity(trees.sums(seen, 0.0)),
        thresholds={"review": REVIEW_FROM},
        trained=_trained(measured, names, seen, growth),
    )


def worth(measured: Measured, model: Model) -> dict[str, dict[str, float]]:
    """What rules are worth on the labelled rows, alone and joined with the score, as decisions join them."""
    at = [measured.names.index(each) for each in model.features]
    scores = np.round(model.score(measured.columns[:, at]), 6)
    joined = np.round(1.0 - (1.0 - measured.rules) * (1.0 - scores), 6)
    return {
        "rules alone": _measures(measured, measured.rules),
        "score alone": _measures(measured, scores),
        "rules and score": _measures(measured, joined),
    }


def _measures(measured: Measured, scores: Array) -> dict[str, float]:
    history, rows = measured.history, measured.rows
    kept = history.labelled[rows]
    fraud, scored = history.fraud[rows][kept], scores[kept]
    found = {
        "average_precision": average_precision(fraud, scored),
        "recall_at_1_percent_false_positives": recall_at(fraud, scored),
    }
    if main_entity(measured.policy.entities) in measured.policy.entities:
        cards = cards_of(history, measured.policy, None)[rows][kept]
        days = history.batch.occurred_at[rows][kept] // DAY
        found["card_precision_at_100"] = card_precision_at_k(days, cards, fraud, scored)
    return {name: round(value, 6) for name, value in found.items()}


def _trained(measured: Measured, names: tuple[str, ...], seen: Array, growth: Growth) -> Mapping[str, Any]:
    when = measured.history.batch.occurred_at[measured.rows]
    values = ((name, column[~np.isnan(column)]) for name, column in zip(names, seen.T, strict=True))
    return {
        "by": "isolation forest",
        "meaning": MEANING,
        "policy": measured.policy.name,
        "train_from": instant(int(when[0])),
        "train_to": instant(int(when[-1])),
        "transactions": len(seen),
        "trees": growth.trees,
        "seed": growth.seed,
        "parameters": asdict(growth),
        "usual": {name: float(np.median(there)) for name, there in values},
    }
