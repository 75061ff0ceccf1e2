"""What a model sees of each transaction: what the transaction says itself, and the policy's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import columns_of, snapshot, transaction_columns
from shroff.core.hits import find
from shroff.core.policy import Policy

OF_TRANSACTION = ("amount", "hour", "weekday")

Score = Callable[[Array], Array]
"""Probabilities [n] of rows [n, f]."""

Train = Callable[[Array, Array, Sequence[str]], Score]
"""A model of rows [n, f], whether each was a fraud [n], and the names of the columns [f]."""


def names_of(policy: Policy) -> tuple[str, ...]:
    """The names of a model's columns."""
    return (*OF_TRANSACTION, *policy.feature_names, *policy.derived)


def table(policy: Policy, batch: Batch, features: Array) -> Array:
    """The columns [n, f] in the order of `names_of`; NaN is missing."""
    wanted = policy.deriving.names | frozenset(OF_TRANSACTION)
    own = transaction_columns(policy, batch, wanted)
    measured = dict(zip(policy.feature_names, features.T, strict=True))
    derived = policy.deriving.run(own | measured, len(batch))
    return np.column_stack([*(own[name] for name in OF_TRANSACTION), features, *derived])


def rule_scores(policy: Policy, batch: Batch, features: Array) -> Array:
    """What the policy's rules alone say, as scores [n]; nobody is on any list."""
    nobody = {name: np.zeros(len(batch), bool) for name in policy.lists}
    columns = columns_of(policy, batch, snapshot(features, nobody))
    return find(policy, columns, len(batch)).scores
