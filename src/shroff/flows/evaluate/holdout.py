"""Holdout evaluation: one split, by time or at random; labels of the test are never learned by anything.

Features are as causal as ever: a row sees earlier rows, and of those the labels of the training split alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.money import DECIMALS
from shroff.core.observe import observe
from shroff.core.policy import Policy
from shroff.flows.evaluate.clean_room import check_alone, check_past_alone
from shroff.flows.evaluate.columns import OF_TRANSACTION, Train, names_of, table
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.measures import measured, told
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.splits import stratified
from shroff.flows.evaluate.timeline import NEVER, Measure, Timeline, maturing, span

_CHECKED = 80
"""Rows of both parts that are measured again from the past alone."""
_CUTS = 400

Show = Callable[[int, int], None]
"""Told how many days are done, and how many transactions they had."""


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """Which rows are tested."""

    test_share: float = 0.2
    delay_days: int = 7
    random_state: int | None = None
    """The seed of a stratified random split; None tests the newest rows."""

    def check(self) -> Holdout:
        """This protocol. Raises Rejected with all that makes no sense in it."""
        faults = []
        if not 0 < self.test_share < 1:
            faults.append(Fault("test_share", "--test-share must be above 0 and below 1"))
        if not 0 <= self.delay_days <= 3_660:
            faults.append(Fault("delay_days", "--delay-days must be from 0 to 3660"))
        if self.random_state is not None and not 0 <= self.random_state < 2**32:
            faults.append(Fault("random_state", "--random-state must be from 0 to 4294967295"))
        if faults:
            raise Rejected(faults)
        return self

    def training(self, history: History) -> Array:
        """[n] bool: which rows are of the training split."""
        n = len(history)
        tested = int(np.ceil(self.test_share * n))
        if self.random_state is None:
            return np.arange(n) < n - tested
        classes = np.where(history.labelled, history.fraud.astype(np.int64), 2)
        chosen = np.zeros(n, bool)
        chosen[stratified(classes, tested, self.random_state)[0]] = True
        return chosen


def hold_out(
    history: History,
    policy: Policy,
    protocol: Holdout,
    *,
    train: Train,
    show: Show,
    measure: Measure = observe,
) -> dict[str, Any]:
    """`{"folds": [{…}], "mean": {…}}` of the one split. Raises Rejected as `evaluate` does."""
    training, when = protocol.training(history), history.batch.occurred_at
    known_at = np.where(training, maturing(history, protocol.delay_days * DAY), NEVER)
    features = _features(history, policy, known_at, show, measure)
    columns, names = table(policy, history.batch, features), names_of(policy)
    tested = np.flatnonzero(~training & history.labelled)
    begins = int(when[~training][0])
    # A random split has training rows on both sides of the test: their labels are all taken as known.
    limit = begins if protocol.random_state is None else NEVER - 1
    rows = np.flatnonzero(known_at <= limit)
    earlier, later = np.split(rows, [len(rows) * 4 // 5])
    for kind, some in (("training", rows), ("earlier training", earlier), ("test", tested)):
        _both(history, some, kind)
    check_alone(names, columns[rows], history.fraud[rows])
    # Labels come in among the training rows, so leaks would show there first.
    met = np.union1d(rows, tested)
    sample = np.unique(met[np.linspace(0, len(met) - 1, _CHECKED).astype(int)])
    within = slice(len(OF_TRANSACTION), len(OF_TRANSACTION) + features.shape[1])
    check_past_alone(policy, history, known_at, columns[sample, within], sample, measure)
    threshold = _best_cut(
        history.fraud[later], train(columns[earlier], history.fraud[earlier], names)(columns[later])
    )
    scores = np.full(len(history), np.nan)
    scores[tested] = train(columns[rows], history.fraud[rows], names)(columns[tested])
    values = history.batch.in_base(policy.base_currency, policy.rates) / 10 ** DECIMALS[policy.base_currency]
    found = measured(history, np.arange(len(history)), values, tested, scores[tested])
    del found["card_precision_at_100"]  # the days of a random split are not whole
    worth = told(found | {"macro_f1": macro_f1(history.fraud[tested], scores[tested] >= threshold)})
    fold = {
        "test_from": instant(begins),
        "train_rows": len(rows),
        "train_frauds": int(np.count_nonzero(history.fraud[rows])),
        "test_rows": len(tested),
        "test_frauds": int(np.count_nonzero(history.fraud[tested])),
        "threshold": round(threshold, 6),
    }
    return {"folds": [fold | worth], "mean": worth}


def macro_f1(fraud: Array, flagged: Array) -> float:
    """The mean of the F1 of frauds and that of the legitimate, [n] bool each."""
    return float(np.mean([_f1(fraud, flagged), _f1(~fraud, ~flagged)]))


def _f1(true: Array, said: Array) -> float:
    both = np.count_nonzero(true) + np.count_nonzero(said)
    return 2 * np.count_nonzero(true & said) / both if both else 0.0


def _best_cut(fraud: Array, scores: Array) -> float:
    """The threshold of the best macro F1, among quantiles of the scores."""
    cuts = np.unique(np.quantile(scores, np.linspace(0, 1, _CUTS)))
    return float(cuts[np.argmax([macro_f1(fraud, scores >= cut) for cut in cuts])])


def _features(history: History, policy: Policy, known_at: Array, show: Show, measure: Measure) -> Array:
    line = Timeline(policy=policy, history=history, measure=measure, known_at=known_at)
    first, last = (int(history.batch.occurred_at[at]) // DAY * DAY for at in (0, -1))
    found = []
    for number, day in enumerate(range(first, last + DAY, DAY), 1):
        rows = span(history, day, day + DAY)
        found.append(line.live(rows, day + DAY))
        show(number, rows.stop)
    return np.vstack(found)


def _both(history: History, rows: Array, kind: str) -> None:
    fraud = history.fraud[rows]
    if not fraud.any() or fraud.all():
        missing = "no fraud" if not fraud.any() else "nothing legitimate"
        raise Rejected([Fault("test_share", f"the {kind} part has {missing} with a label that is known")])
