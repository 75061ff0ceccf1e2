"""Training a model on labelled history: what serves it is what measured its columns.

::

    ├────────── train ──────────┤              known when the validation begins
                                ├─ validate ─┤    the newest days whose labels are known at the end
                                             ├─ delay ─┤ end of the history
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.metrics import average_precision, brier, recall_at, roc_auc
from shroff.core.model import Model
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.flows.evaluate.clean_room import check_alone
from shroff.flows.evaluate.columns import names_of, table
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import Timeline, maturing, span

Show = Callable[[int, int], None]
"""Told how many days are measured, and how many transactions they had."""


class Grow(Protocol):
    """Makes a model of rows, early stopping and calibration by later ones."""

    def __call__(
        self, rows: Array, fraud: Array, names: Sequence[str], valid: tuple[Array, Array], /
    ) -> Model:
        """A model of rows [n, f], which were fraud [n], the columns' names [f], and later such rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How history is split by time; days."""

    delay_days: int = 7
    """After so many a label is known."""
    validation_days: int = 14
    """The newest with known labels, which training does not see."""

    def check(self) -> Split:
        """This split. Raises Rejected with all that makes no sense in it."""
        least = {"delay_days": 0, "validation_days": 1}
        faults = [
            Fault(name, f"--{name.replace('_', '-')} must be from {low} to 3660")
            for name, low in least.items()
            if not low <= getattr(self, name) <= 3_660
        ]
        if faults:
            raise Rejected(faults)
        return self


def train(history: History, policy: Policy, split: Split, *, grow: Grow, show: Show) -> Model:
    """A model of the policy's features, with what it is worth on the validation days in `trained`.

    Raises Rejected where there is too little to learn or to validate, or where a column tells the label.
    """
    names, known_at = names_of(policy), maturing(history, split.delay_days * DAY)
    columns = _measured(history, policy, known_at, show)
    when = history.batch.occurred_at
    end = int(when[-1]) + 1
    valid_from = (end - (split.delay_days + split.validation_days) * DAY) // DAY * DAY
    known = np.flatnonzero((when < valid_from) & (known_at <= valid_from))
    valid = np.flatnonzero((when >= valid_from) & (known_at <= end))
    _require(history, known, "train on", valid_from)
    _require(history, valid, "validate on", valid_from)
    check_alone(names, columns[known], history.fraud[known])
    model = grow(columns[known], history.fraud[known], names, (columns[valid], history.fraud[valid]))
    told = {
        "policy": policy.name,
        "train_from": instant(int(when[known[0]])),
        "train_to": instant(int(when[known[-1]])),
        "validation_from": instant(valid_from),
        "validation_to": instant(int(when[valid[-1]])),
        "delay_days": split.delay_days,
        "measures": _measures(history.fraud[valid], model.score(columns[valid])),
    }
    return replace(model, trained={**model.trained, **told})


def _measured(history: History, policy: Policy, known_at: Array, show: Show) -> Array:
    """The columns [n, f] of all history, day after day, each label learned when it is known."""
    line = Timeline(policy=policy, history=history, measure=observe, known_at=known_at)
    columns = np.empty((len(history), len(names_of(policy))))
    when = history.batch.occurred_at
    first, last = int(when[0]) // DAY * DAY, int(when[-1])
    for number, day in enumerate(range(first, last + 1, DAY), 1):
        rows = span(history, day, day + DAY)
        columns[rows] = table(policy, taken(history.batch, rows), line.live(rows, day + DAY))
        show(number, rows.stop)
    return columns


def _require(history: History, rows: Array, what: str, valid_from: int) -> None:
    fraud = history.fraud[rows]
    if len(rows) and fraud.any() and not fraud.all():
        return
    missing = "a transaction whose label is known" if not len(rows) else "both frauds and legitimate ones"
    sentence = (
        f"there is not {missing} to {what}: validation begins {instant(valid_from)}; give more history, "
        "or fewer --validation-days or --delay-days"
    )
    raise Rejected([Fault("validation_days", sentence)])


def _measures(fraud: Array, scores: Array) -> dict[str, Any]:
    """What the scores of the validation rows are worth."""
    return {
        "transactions": len(fraud),
        "frauds": int(np.count_nonzero(fraud)),
        "average_precision": round(average_precision(fraud, scores), 6),
        "roc_auc": round(roc_auc(fraud, scores), 6),
        "recall_at_1_percent_false_positives": round(recall_at(fraud, scores), 6),
        "brier_score": round(brier(fraud, scores), 6),
    }
