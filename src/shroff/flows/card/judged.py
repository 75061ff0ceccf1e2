"""The validation days of a model, with its scores: what a card is made of."""

from __future__ import annotations

from dataclasses import dataclass

from shroff.core.compiled import Array
from shroff.flows.evaluate.history import History

_DAY = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Transactions that a model has not been trained on, scored by it."""

    history: History
    rows: Array
    """[m] row numbers of those whose labels are known."""
    scores: Array
    """[m], to six decimals."""
    fraud: Array
    """[m] bool."""
    cards: Array
    """[n] whose each transaction of history is, as numbers."""
    values: Array
    """[n] amounts in the base currency, NaN without a rate."""
    every_row: Array
    """Row numbers of all transactions of the validation days, labelled or not."""
    every_score: Array
    """Their scores, to six decimals."""
    train_rows: Array
    valid_from: int
    """Ms, as the end, which is not part of it."""
    valid_to: int
    delay_days: int
    told: bool
    """Whether each label says itself when it became known; else after the delay."""

    @property
    def days(self) -> float:
        """How long the validation lasts."""
        return round((self.valid_to - self.valid_from) / _DAY, 2)
