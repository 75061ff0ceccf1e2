"""Prequential evaluation: predict now, learn the label when it would have been known, fold after fold.

One pass through history. Where a fold's test days begin, its model is trained on what is known by then; it
scores them as they come. With a review loop, the model of the day also ranks what is looked at, from the
first on that can be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.money import DECIMALS
from shroff.core.observe import observe
from shroff.core.policy import Policy, main_entity
from shroff.flows.evaluate.clean_room import check_alone, check_past_alone
from shroff.flows.evaluate.columns import OF_TRANSACTION, Score, Train, names_of, rule_scores, table
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.measures import mean_of, measured, remaining, told
from shroff.flows.evaluate.protocol import DAY, Fold, Protocol
from shroff.flows.evaluate.review import Review
from shroff.flows.evaluate.timeline import Measure, Timeline, maturing, span

_CHECKED = 40
"""Rows of each fold that are measured again from the past alone."""
_MOST_ALONE = 100_000
"""Training rows, the newest, among which no column may tell the label alone."""

Show = Callable[[int, int], None]
"""Told how many days are done, and how many transactions they had."""


def evaluate(
    history: History,
    policy: Policy,
    protocol: Protocol,
    *,
    train: Train | None,
    show: Show,
    measure: Measure = observe,
) -> dict[str, Any]:
    """`{"folds": [{…}], "mean": {…}}`, as JSON has it. Without `train` the policy's rules alone score.

    Raises Rejected where a fold has nothing to train on or to test, and where a feature sees the future or
    the label.
    """
    run = _Run(history, policy, protocol, train, measure)
    for number, day in enumerate(range(protocol.since, protocol.until, DAY), 1):
        rows = run.live(day)
        show(number, rows.stop)
    folds = [run.result(fold) for fold in protocol.rounds]
    return {"folds": folds, "mean": mean_of(folds)}


@dataclass
class _Run:
    """One evaluation while it goes on."""

    history: History
    policy: Policy
    protocol: Protocol
    train: Train | None
    measure: Measure
    score: Score | None = None
    """The model of the day."""
    revealed: dict[int, int] = field(default_factory=dict)
    """Day → labels that the review gave."""

    def __post_init__(self) -> None:
        n = len(self.history)
        self.names = names_of(self.policy)
        self.columns, self.scores = np.empty((n, len(self.names))), np.full(n, np.nan)
        self.cards = cards_of(self.history, self.policy, self.protocol.by)
        self.known_at = maturing(self.history, self.protocol.delay)
        self.line = Timeline(
            policy=self.policy, history=self.history, measure=self.measure, known_at=self.known_at
        )
        self.review = Review.of(self.protocol, self.history, self.policy, self.cards)
        self.training = {fold.test_from: fold for fold in self.protocol.rehearsals}
        self.training |= {fold.test_from: fold for fold in self.protocol.rounds}

    def live(self, day: int) -> slice:
        """Measure, score and look at the transactions of a day."""
        if day in self.training:
            self._train(self.training[day])
        rows = span(self.history, day, day + DAY)
        batch = taken(self.history.batch, rows)
        features = self.line.live(rows, day + DAY)
        self.columns[rows] = table(self.policy, batch, features)
        if self.score is not None:
            self.scores[rows] = self.score(self.columns[rows]) if rows.stop > rows.start else 0.0
        elif self.train is None or (self.policy.rules and self.protocol.review_capacity):
            self.scores[rows] = rule_scores(self.policy, batch, features)
        if self.protocol.review_capacity and not np.isnan(self.scores[rows]).any():
            self.revealed[day] = self.review.look(day, self.scores, self.known_at)
        return rows

    def result(self, fold: Fold) -> dict[str, Any]:
        """What a fold was, and its measures."""
        values = self.history.batch.in_base(self.policy.base_currency, self.policy.rates)
        values /= 10 ** DECIMALS[self.policy.base_currency]
        # The published protocol: what a review finds does not change which rows are counted, so that
        # figures with a loop and without one are of the same transactions.
        rows = remaining(self.history, self.cards, fold, maturing(self.history, self.protocol.delay))
        self._check(fold, rows)
        trained = self._known(fold)
        found: dict[str, Any] = {
            "train_from": instant(fold.train_from),
            "train_to": instant(fold.train_to),
            "test_from": instant(fold.test_from),
            "test_to": instant(fold.test_to),
            "train_rows": len(trained),
            "train_frauds": int(np.count_nonzero(self.history.fraud[trained])),
            "test_rows": len(rows),
            "test_frauds": int(np.count_nonzero(self.history.fraud[rows])),
        } | told(measured(self.history, self.cards, values, rows, self.scores[rows]))
        return found | self._of_review(fold, values) if self.protocol.review_capacity else found

    def _of_review(self, fold: Fold, values: Array) -> dict[str, Any]:
        """What the review gave, and the ranking of the cards that it had not found."""
        days = range(fold.test_from, fold.test_to, DAY)
        rows = remaining(self.history, self.cards, fold, self.known_at)
        fresh = told(measured(self.history, self.cards, values, rows, self.scores[rows]))
        labels = sum(self.revealed.get(day, 0) for day in days)
        return {"labels_by_review": labels, "unreviewed_average_precision": fresh["average_precision"]}

    def _train(self, fold: Fold) -> None:
        if self.train is None:
            return
        rows = self._known(fold)
        fraud = self.history.fraud[rows]
        if not fraud.any() or fraud.all():
            if fold.number < 1:  # nobody asked for it
                return
            kind = "no fraud" if not fraud.any() else "nothing legitimate"
            sentence = f"fold {fold.number} has {kind} known among its training days; {_days(self.history)}"
            raise Rejected([Fault("train_days", sentence)])
        columns = self.columns[rows]
        check_alone(self.names, columns[-_MOST_ALONE:], fraud[-_MOST_ALONE:])
        self.score = self.train(columns, fraud, self.names)

    def _known(self, fold: Fold) -> Array:
        """The rows of the training days whose labels are known when the test begins."""
        rows = span(self.history, fold.train_from, fold.train_to)
        known: Array = rows.start + np.flatnonzero(self.known_at[rows] <= fold.test_from)
        return known

    def _check(self, fold: Fold, rows: Array) -> None:
        """Measure an even sample of the fold's rows again. Raises Rejected."""
        if not len(rows):
            sentence = f"fold {fold.number} has no labelled transactions to test; {_days(self.history)}"
            raise Rejected([Fault("test_days", sentence)])
        sample = np.unique(rows[np.linspace(0, len(rows) - 1, _CHECKED).astype(int)])
        first = len(OF_TRANSACTION)  # what is derived comes last, and of these alone
        features = self.columns[sample, first : first + len(self.policy.feature_names)]
        check_past_alone(self.policy, self.history, self.known_at, features, sample, self.measure)


def cards_of(history: History, policy: Policy, by: str | None) -> Array:
    """Whose each transaction is [n], as numbers; one without an owner is its own. Raises Rejected."""
    by = by or main_entity(policy.entities)
    if by not in policy.entities:
        known = ", ".join(policy.entities)
        raise Rejected([Fault("by", f'"{by}" is no entity of the policy; it has {known}')])
    keys: Sequence[str | None] = history.batch.keys(policy.entities[by])
    numbers: dict[str | int, int] = {}
    return np.array(
        [numbers.setdefault(at if key is None else key, len(numbers)) for at, key in enumerate(keys)],
        np.int64,
    )


def _days(history: History) -> str:
    """Which days there are."""
    when = history.batch.occurred_at
    return f"the file is read from {instant(int(when[0]))} to {instant(int(when[-1]))}"
