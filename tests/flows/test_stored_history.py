"""Labelled history from the store: the last word counts, from when it was known on."""

from __future__ import annotations

import pytest

from shroff.core.errors import Rejected
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.timeline import NEVER
from shroff.flows.train import KnownAt, stored_history
from shroff.ports import Label
from tests.core.samples import DAY, START, transaction
from tests.flows.evaluated import quiet
from tests.flows.pipeline import Pipeline

DAYS = 40


def label(number: int, fraud: bool, known_at: int) -> Label:
    return Label(
        transaction_id=transaction(number, 0).transaction_id, fraud=fraud, source="analyst",
        known_at=START + known_at, received_at=START,
    )  # fmt: skip


def read(*labels: Label, mature_days: int | None = None) -> tuple[History, KnownAt]:
    """A payment a day, the newest first, and what is said of some."""
    pipeline = Pipeline()
    pipeline.run([transaction(day, day * DAY) for day in reversed(range(DAYS))])
    pipeline.store.labels.add(labels)
    return stored_history(pipeline.store.ledger, pipeline.store.labels, mature_days=mature_days, show=quiet)


def test_transactions_come_by_time_but_for_the_newest_three_whose_clocks_may_be_ahead() -> None:
    history, _ = read(label(1, True, DAY), label(2, False, 5 * DAY))
    assert list(history.batch.occurred_at) == [START + day * DAY for day in range(DAYS - 3)]


def test_the_last_word_counts_from_when_it_was_known_and_never_before_its_transaction() -> None:
    history, known_at = read(
        label(1, True, 2 * DAY), label(1, False, 9 * DAY), label(1, True, 8 * DAY),
        label(2, True, 0),
        label(3, False, 5 * DAY), label(3, True, 5 * DAY),
    )  # fmt: skip
    assert history.fraud[:5].tolist() == [False, False, True, True, False]
    assert history.labelled[:5].tolist() == [False, True, True, True, False]
    told = [None, START + 9 * DAY, START + 2 * DAY, START + 5 * DAY, None]
    assert known_at.features[:5].tolist() == [NEVER if each is None else each for each in told]
    assert (known_at.features == known_at.training).all()


def test_what_nobody_has_said_anything_of_is_presumed_for_training_and_unknown_to_features() -> None:
    history, known_at = read(label(2, True, 20 * DAY), mature_days=7)
    assert history.labelled.all()
    assert history.fraud.sum() == 1
    assert (known_at.features < NEVER).sum() == 1
    # The word of day 20 is not known before, though a week has passed.
    assert known_at.training[:4].tolist() == [START + day * DAY for day in (7, 8, 20, 10)]


def test_history_that_nothing_can_be_learned_of_is_refused_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="no stored transaction has a label that says fraud"):
        read(label(1, False, DAY))
    with pytest.raises(Rejected, match="with --mature-days N those count as legitimate"):
        read(label(1, True, DAY))
    with pytest.raises(Rejected, match="import labels with their known_at"):
        read(label(1, True, 900 * DAY), label(2, False, 900 * DAY))
    empty = Pipeline()
    with pytest.raises(Rejected, match="no transaction was decided here yet"):
        stored_history(empty.store.ledger, empty.store.labels, show=quiet)
