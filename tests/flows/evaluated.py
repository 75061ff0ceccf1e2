"""A small labelled history to evaluate: a few weeks, a few cards, one merchant that goes bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shroff.core.compiled import Array
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import History, Protocol, Score, read_history
from shroff.flows.evaluate.protocol import DAY

START = 1_700_006_400_000 // DAY * DAY
"""A midnight, in ms."""

POLICY = read_policy(
    """
name = "evaluated"
[entities]
customer = "customer_id"
merchant = "merchant"
[features]
customer = ["count_7d", "amount_mean_7d"]
merchant = ["count_7d", "fraud_count_30d", "labelled_count_30d", "since_fraud_30d"]
[[rules]]
name = "bad_merchant"
when = "merchant.fraud_count_30d >= 1"
outcome = "review"
score = 0.8
"""
)
PROTOCOL = Protocol(start=START, train_days=7, delay_days=3, test_days=4, folds=2)


@dataclass(frozen=True)
class Table:
    """Rows as a reader of files gives them, in one chunk."""

    rows: Sequence[Mapping[str, Any]]

    @property
    def lines(self) -> Sequence[int]:
        return range(1, len(self.rows) + 1)

    def raw(self, index: int) -> Any:
        return self.rows[index]

    place = consumed = 0

    def chunks(self, place: int) -> Iterator[Table]:
        yield self


def rows(days: int = 24, seed: int = 1) -> list[dict[str, Any]]:
    """Forty payments a day of thirty cards at ten merchants; m0 defrauds half of its cards from day 3 on."""
    chance = np.random.default_rng(seed)
    found: list[dict[str, Any]] = []
    for day in range(days):
        for second in sorted(chance.integers(0, 86_400, 40).tolist()):
            merchant = int(chance.integers(0, 10))
            found.append(
                {
                    "transaction_id": f"t{len(found)}",
                    "amount": str(int(chance.integers(1, 200))),
                    "timestamp": START // 1000 + day * 86_400 + second,
                    "customer_id": f"c{chance.integers(0, 30)}",
                    "merchant": f"m{merchant}",
                    "label": bool(merchant == 0 and day >= 3 and chance.random() < 0.5),
                }
            )
    return found


def history(found: Sequence[Mapping[str, Any]] | None = None) -> History:
    """These rows, read."""
    table = Table(rows() if found is None else found)
    return read_history(table, currency="USD", until=START + 400 * DAY, show=quiet)


def quiet(done: int, count: int) -> None:
    """Nobody looks."""


def by_frauds_of_merchant(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
    """Stands in for a model: the known frauds of the merchant."""
    at = list(names).index("merchant.fraud_count_30d")
    return lambda rows: rows[:, at] / (1.0 + rows[:, at])
