"""Compiles every kernel once, so that the first start need not: `python -m shroff.core.warm`."""

from __future__ import annotations

import numpy as np

from shroff.core.columns import Batch
from shroff.core.features import Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from shroff.core.trees import Trees


def warm() -> None:
    """Observe one transaction with a feature of each sort, and score one with a tree."""
    entities = {"customer": ("customer_id",)}
    features = tuple(
        feature("customer", name, entities) for name in ("count_5m", "merchant_distinct_5m", "fraud_run_5m")
    )
    layout = Layout("customer", entities["customer"], features, lateness=0)
    one = Transaction(transaction_id="1", amount_minor=1, currency="USD", occurred_at=0, customer_id="1")
    observe(State.empty([layout], "USD", {}), Batch.of([one]))
    none, one_leaf = np.empty(0, np.int32), np.ones(1)
    tree = Trees(
        roots=np.array([-1], np.int32),
        feature=none,
        threshold=np.empty(0),
        missing_left=np.empty(0, np.bool_),
        left=none,
        right=none,
        value=one_leaf,
        cover=one_leaf,
    )
    tree.sums(np.zeros((1, 1)), 0.0)


if __name__ == "__main__":
    warm()
