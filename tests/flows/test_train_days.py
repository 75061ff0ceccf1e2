"""How history is split: nothing trains that was not known, nothing validates that trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shroff.core.errors import Rejected
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.evaluate.timeline import NEVER
from shroff.flows.train import Split
from shroff.flows.train.days import Days, windows_of
from tests.flows.evaluated import START, history, rows

HOUR = 3_600_000
WHOLE = history(rows(30))


@st.composite
def split(draw: st.DrawFn) -> tuple[History, np.ndarray, Split]:
    """History by whole hours, midnights among them; each label known in its own time, or never."""
    count = draw(st.integers(200, 400))
    dice = np.random.default_rng(draw(st.integers(0, 999)))
    when = np.sort(dice.integers(0, 30 * 24, count)) * HOUR + START
    late = dice.integers(0, draw(st.sampled_from([1, 24, 240])), count) * HOUR
    known_at = np.where(dice.random(count) < 0.9, when + late, NEVER)
    made = History(
        batch=replace(taken(WHOLE.batch, slice(count)), occurred_at=when),
        fraud=dice.random(count) < 0.4,
        labelled=known_at < NEVER,
    )
    asked = Split(delay_days=draw(st.integers(0, 4)), validation_days=draw(st.integers(1, 8)))
    return made, known_at, asked


@given(split())
def test_what_trains_was_known_when_validation_begins_and_no_row_does_both(made) -> None:
    whole, known_at, asked = made
    try:
        days = Days.of(whole, asked, known_at, told=True)
    except Rejected:
        assume(False)
    when, end = whole.batch.occurred_at, int(whole.batch.occurred_at[-1]) + 1
    assert (known_at[days.known] <= days.valid_from).all()
    assert (when[days.known] < days.valid_from).all()
    assert (when[days.all] >= days.valid_from).all()
    assert (known_at[days.valid] <= end).all()
    assert (when[days.all] < end - asked.delay_days * DAY).all()
    assert set(days.valid) <= set(days.all)
    assert not set(days.known) & set(days.all)


@given(split())
def test_settings_are_tried_on_what_was_known_before_and_the_later_side_never_trains(made) -> None:
    whole, known_at, asked = made
    try:
        days = Days.of(whole, asked, known_at, told=True)
    except Rejected:
        assume(False)
    when = whole.batch.occurred_at
    for known, later in windows_of(whole, days, known_at):
        cut = when[later].min()
        assert when[known].max() < cut
        assert known_at[known].max() <= cut
        assert set(later) <= set(days.known)
        assert all(whole.fraud[side].sum() >= 10 for side in (known, later))


def test_a_side_without_frauds_or_without_anything_is_refused() -> None:
    known_at = WHOLE.batch.occurred_at
    for asked, what in ((Split(validation_days=400), "train on"), (Split(delay_days=60), "train on")):
        with pytest.raises(Rejected, match=f"there is not a transaction whose label is known to {what}"):
            Days.of(WHOLE, asked, known_at, told=False)
    never = np.full(len(WHOLE), NEVER)
    never[:800] = known_at[:800]
    with pytest.raises(Rejected, match="to validate on"):
        Days.of(WHOLE, Split(delay_days=1, validation_days=2), never, told=False)
