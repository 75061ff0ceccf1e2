"""A small model with its card, made as `shroff train` makes them, but of stumps: that needs no extra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from shroff.core.calibration import Platt
from shroff.core.compiled import Array
from shroff.core.model import Model
from shroff.core.policy_document import read_policy
from shroff.core.thresholds import Costs
from shroff.flows.evaluate import History
from shroff.flows.train import Ask, Chosen, Make, Show, Split, Trained, train
from tests.core.models import stump
from tests.flows.evaluated import history, quiet, rows

POLICY = read_policy(
    """
name = "carded"
[entities]
customer = "customer_id"
merchant = "merchant"
[features]
customer = ["count_7d"]
merchant = ["count_7d", "fraud_count_30d"]
"""
)
ASK = Ask(
    split=Split(delay_days=3, validation_days=10), costs=Costs(review=5.0, friction=20.0), review_capacity=4
)


@contextmanager
def silent(name: str, total: int, unit: str) -> Iterator[Show]:
    """Nobody looks."""
    yield quiet


def grown(
    rows: Array, fraud: Array, names: Sequence[str], valid: tuple[Array, Array], /, show: Show | None = None
) -> Model:
    """One split for each of two columns."""
    said = {"merchant.fraud_count_30d": (0.5, -3.0, 0.5), "amount": (100.0, -0.2, 0.2)}
    model = stump("carded", said)
    places = [list(names).index(name) for name in model.features]
    whole = np.zeros(len(names), int)
    whole[places] = range(len(places))
    usual = {
        name: float(np.nanmedian(rows[:, at]))
        for at, name in enumerate(names)
        if not np.isnan(rows[:, at]).all()
    }
    trained = {"gain": {"merchant.fraud_count_30d": 30.0, "amount": 10.0}, "usual": usual, "by": "hand"}
    feature = np.array(places, np.int32)[model.trees.feature]
    return replace(
        model,
        features=tuple(names),
        trees=replace(model.trees, feature=feature),
        calibration=Platt(1.0, 0.0),
        trained=trained,
    )


def searched(rows: Array, fraud: Array, windows: Sequence[tuple[Array, Array]], /, show: Show) -> Chosen:
    """Nothing is tried, but said to be."""
    best = {"average_precision": 0.5, "num_leaves": 2, "learning_rate": 0.1, "feature_fraction": 1.0,
            "min_data_in_leaf": 1, "lambda_l2": 0.0}  # fmt: skip
    told = {
        "tried": 3,
        "windows": len(windows),
        "sampled": True,
        "most_legitimate_rows": 60_000,
        "best": [best],
    }
    return Chosen(grow=grown, told=told)


MAKE = Make(grow=grown, trees=1, search=searched, tries=3)


def told(days: int = 60, change: Mapping[str, Any] | None = None) -> History:
    """Sixty days of it, with categories; `change` replaces members of each row."""
    found = rows(days)
    for at, row in enumerate(found):
        row.update({"merchant_category": ("food", "fuel")[at % 2], "channel": "online"}, **(change or {}))
    return history(found)


@cache
def made() -> Trained:
    """The model and its card."""
    return train(told(), POLICY, ASK, make=MAKE, track=silent)
