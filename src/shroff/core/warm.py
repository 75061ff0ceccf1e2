"""Compiles every kernel once, so that the first start need not: `python -m shroff.core.warm`."""

from __future__ import annotations

from shroff.core.columns import Batch
from shroff.core.features import Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction


def warm() -> None:
    """Observe one transaction with a feature of each sort."""
    entities = {"customer": ("customer_id",)}
    features = tuple(feature("customer", name, entities) for name in ("count_5m", "merchant_distinct_5m"))
    layout = Layout("customer", entities["customer"], features, lateness=0)
    one = Transaction(transaction_id="1", amount_minor=1, currency="USD", occurred_at=0, customer_id="1")
    observe(State.empty([layout], "USD", {}), Batch.of([one]))


if __name__ == "__main__":
    warm()
