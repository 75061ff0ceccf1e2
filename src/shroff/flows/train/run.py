"""From labelled history to a model, with thresholds and a card that says what it is worth.

::

    ├────────── train ──────────┤              known when the validation begins
          ├ try ┤├ try ┤                       windows on which settings are chosen
                                ├─ validate ─┤    the newest days whose labels are known at the end
                                             ├─ delay ─┤ end of the history
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.metrics import average_precision, brier, recall_at, roc_auc
from shroff.core.model import Model
from shroff.core.money import DECIMALS
from shroff.core.observe import observe
from shroff.core.policy import Policy, main_entity
from shroff.flows.card import Judged, card
from shroff.flows.evaluate.clean_room import check_alone
from shroff.flows.evaluate.columns import names_of, table
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.prequential import cards_of
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import Timeline, days_together, maturing, span
from shroff.flows.train.asked import Ask, Make, Track
from shroff.flows.train.choose import chosen_thresholds
from shroff.flows.train.days import Days, windows_of
from shroff.flows.train.stored import KnownAt

_MOST_ALONE = 100_000
"""Training rows, the newest, among which no column may tell the label alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model, and what there is to say of it."""

    model: Model
    card: Mapping[str, Any]
    """As plain JSON values."""


def train(
    history: History, policy: Policy, ask: Ask, *, make: Make, track: Track, known_at: KnownAt | None = None
) -> Trained:
    """A model of the policy's features, with what it is worth on the validation days in `trained`.

    Without `known_at` every label becomes known after the delay. Raises Rejected where there is too little to
    learn or to validate, or where a column tells the label.
    """
    told = known_at is not None
    if known_at is None:
        matured = maturing(history, ask.split.delay_days * DAY)
        known_at = KnownAt(features=matured, training=matured)
    names = names_of(policy)
    columns = _measured(history, policy, known_at.features, track)
    days = Days.of(history, ask.split, known_at.training, told=told)
    newest = days.known[-_MOST_ALONE:]
    check_alone(names, columns[newest], history.fraud[newest])
    model, tried = _grown(columns, history, days, known_at.training, (names, make, track))
    scores = np.round(model.score(columns[days.all]), 6)
    with track("card", 1, "cards") as show:
        judged = _judged(history, policy, days, scores)
        model = _finished(model, policy, ask, judged, tried)
        found = card(model, policy, judged, seed=ask.seed)
        show(1, len(judged.fraud))
    return Trained(model=model, card=found)


def _measured(history: History, policy: Policy, known_at: Array, track: Track) -> Array:
    """The columns [n, f] of all history, each label learned when it is known."""
    line = Timeline(policy=policy, history=history, measure=observe, known_at=known_at)
    columns = np.empty((len(history), len(names_of(policy))))
    when = history.batch.occurred_at
    first, last = int(when[0]) // DAY * DAY, int(when[-1])
    with track("features", (last - first) // DAY + 1, "days") as show:
        for start, end in days_together(history):
            rows = span(history, start, end)
            columns[rows] = table(policy, taken(history.batch, rows), line.live(rows, end))
            show((end - first) // DAY, rows.stop)
    return columns


def _grown(
    columns: Array,
    history: History,
    days: Days,
    known_at: Array,
    by: tuple[tuple[str, ...], Make, Track],
) -> tuple[Model, Mapping[str, Any]]:
    """The model, and what was tried for it."""
    names, make, track = by
    grow, tried = make.grow, {}
    windows = windows_of(history, days, known_at) if make.search is not None and make.tries else ()
    if make.search is not None and windows:
        with track("search", make.tries * len(windows), "trials") as show:
            chosen = make.search(columns, history.fraud, windows, show=show)
        grow, tried = chosen.grow, dict(chosen.told)
    rows, fraud = columns[days.known], history.fraud[days.known]
    with track("fit", make.trees, "trees") as show:
        model = grow(rows, fraud, names, (columns[days.valid], history.fraud[days.valid]), show=show)
        show(make.trees, len(rows) * int(model.trained.get("trees", 1)))
    return model, tried


def _judged(history: History, policy: Policy, days: Days, scores: Array) -> Judged:
    """The validation days with their scores."""
    values = history.batch.in_base(policy.base_currency, policy.rates) / 10 ** DECIMALS[policy.base_currency]
    owned = main_entity(policy.entities) in policy.entities
    cards = cards_of(history, policy, None) if owned else np.arange(len(history))
    labelled = np.isin(days.all, days.valid, assume_unique=True)
    return Judged(
        history=history,
        rows=days.valid,
        scores=scores[labelled],
        fraud=history.fraud[days.valid],
        cards=cards,
        values=values,
        every_row=days.all,
        every_score=scores,
        train_rows=days.known,
        valid_from=days.valid_from,
        valid_to=days.valid_to,
        delay_days=days.delay_days,
        told=days.told,
    )


def _finished(model: Model, policy: Policy, ask: Ask, judged: Judged, tried: Mapping[str, Any]) -> Model:
    """The model with its thresholds, and with how it came about and what it is worth in `trained`."""
    when = judged.history.batch.occurred_at
    trained = {
        **model.trained,
        "policy": policy.name,
        "train_from": instant(int(when[judged.train_rows[0]])),
        "train_to": instant(int(when[judged.train_rows[-1]])),
        "validation_from": instant(judged.valid_from),
        "validation_to": instant(int(when[judged.rows[-1]])),
        "delay_days": judged.delay_days,
        "measures": _measures(judged.fraud, judged.scores),
    }
    if tried:
        trained["search"] = dict(tried)
    thresholds = chosen_thresholds(judged, ask)
    if thresholds is None:
        return replace(model, trained=trained)
    trained["thresholds"] = thresholds.members()
    return replace(model, trained=trained, thresholds=thresholds.scores)


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
