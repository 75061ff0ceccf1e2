"""Holdout evaluation: one split, by time or at random; labels of the test are never learned by anything.

Features are as causal as ever: a row sees earlier rows, and of those the labels of the training split alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

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
from shroff.flows.evaluate.splits import in_turn, stratified
from shroff.flows.evaluate.timeline import NEVER, Measure, Timeline, maturing, span

_CHECKED = 80
"""Rows of both parts that are measured again from the past alone."""
_CUTS = 400
_PARTS = 5
"""Training rows that validate are one of so many."""
_WINDOWS = 2
_FEWEST = 10
"""Frauds without which nothing is chosen by a window."""

Show = Callable[[int, int], None]
"""Told how much is done, and how many transactions that were."""

Track = Callable[[str, int, str], AbstractContextManager[Show]]
"""Begins a phase: its name, how much there is to do, and of what."""

Windows = Sequence[tuple[Array, Array]]
"""Rows that train, and others that say what came of it, as row numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """How models are to be trained, as was found."""

    train: Train
    told: Mapping[str, Any]
    """What was tried, as plain JSON values."""


class Choose(Protocol):
    """Chooses how models are trained."""

    def __call__(self, rows: Array, fraud: Array, windows: Windows, /, show: Show) -> Tuned:
        """By rows [n, f] and which were fraud [n], within the windows alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """Who chooses, and how many settings are tried on each window."""

    choose: Choose
    tries: int


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

    def windows(self, history: History, rows: Array, known_at: Array) -> Windows:
        """Training rows that train, and others that validate; apart as the test is, newest first."""
        if self.random_state is not None:
            part = in_turn(history.fraud[rows], _PARTS, self.random_state)
            return [(rows[part != at], rows[part == at]) for at in range(_WINDOWS)]
        when, size = history.batch.occurred_at, max(len(rows) // _PARTS, 1)
        ends = [len(rows) - number * size for number in range(_WINDOWS)]
        later = [rows[end - size : end] for end in ends]
        return [(rows[known_at[rows] <= when[each[0]]], each) for each in later]


def hold_out(  # noqa: PLR0913  # what is chosen, and how it is measured, have defaults
    history: History,
    policy: Policy,
    protocol: Holdout,
    *,
    train: Train,
    track: Track,
    tune: Tune | None = None,
    measure: Measure = observe,
) -> dict[str, Any]:
    """`{"folds": [{…}], "mean": {…}}` of the one split. Raises Rejected as `evaluate` does.

    `tune` chooses how models are trained where training rows have frauds enough; else `train` is as it is.
    """
    training, when = protocol.training(history), history.batch.occurred_at
    known_at = np.where(training, maturing(history, protocol.delay_days * DAY), NEVER)
    features = _features(history, policy, known_at, track, measure)
    columns, names = table(policy, history.batch, features), names_of(policy)
    tested = np.flatnonzero(~training & history.labelled)
    begins = int(when[~training][0])
    # A random split has training rows on both sides of the test: their labels are all taken as known.
    limit = begins if protocol.random_state is None else NEVER - 1
    rows = np.flatnonzero(known_at <= limit)
    for kind, some in (("training", rows), ("test", tested)):
        _both(history, some, kind)
    windows = protocol.windows(history, rows, known_at)
    earlier, later = windows[0]
    _both(history, earlier, "earlier training")
    _both(history, later, "later training")
    check_alone(names, columns[rows], history.fraud[rows])
    # Labels come in among the training rows, so leaks would show there first.
    met = np.union1d(rows, tested)
    sample = np.unique(met[np.linspace(0, len(met) - 1, _CHECKED).astype(int)])
    within = slice(len(OF_TRANSACTION), len(OF_TRANSACTION) + features.shape[1])
    check_past_alone(policy, history, known_at, columns[sample, within], sample, measure)
    train, tried = _tuned(columns, history, windows, tune, track) or (train, {})
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
    return {"folds": [fold | worth | ({"search": dict(tried)} if tried else {})], "mean": worth}


def _tuned(
    columns: Array, history: History, windows: Windows, tune: Tune | None, track: Track
) -> tuple[Train, Mapping[str, Any]] | None:
    """How to train, as the windows that have frauds enough say, and what was tried."""
    fraud = history.fraud
    enough = [window for window in windows if all(_FEWEST <= fraud[at].sum() < len(at) for at in window)]
    if tune is None or not tune.tries or not enough:
        return None
    with track("search", tune.tries * len(enough), "trials") as show:
        found = tune.choose(columns, fraud, enough, show=show)
    return found.train, found.told


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


def _features(history: History, policy: Policy, known_at: Array, track: Track, measure: Measure) -> Array:
    line = Timeline(policy=policy, history=history, measure=measure, known_at=known_at)
    first, last = (int(history.batch.occurred_at[at]) // DAY * DAY for at in (0, -1))
    found = []
    with track("evaluate", (last - first) // DAY + 1, "days") as show:
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
