"""Which rows of history train, which validate, and on which windows settings are chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.flows.evaluate.history import History
from shroff.flows.evaluate.protocol import DAY
from shroff.flows.train.asked import Split, Windows

_WINDOWS = 2
_FEWEST = 10
"""Frauds without which a window is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Which rows do what."""

    known: Array
    """Rows that train."""
    valid: Array
    """Labelled rows of the validation days."""
    all: Array
    """All rows of the validation days."""
    valid_from: int
    valid_to: int
    delay_days: int
    told: bool
    """Whether each label says itself when it became known."""

    @classmethod
    def of(cls, history: History, split: Split, known_at: Array, *, told: bool) -> Days:
        """The split. Raises Rejected where a side of it is empty, or has frauds alone, or none."""
        when = history.batch.occurred_at
        end = int(when[-1]) + 1
        valid_from = (end - (split.delay_days + split.validation_days) * DAY) // DAY * DAY
        valid_to = end - split.delay_days * DAY
        inside = (when >= valid_from) & (when < valid_to)
        known = _known(history, known_at, valid_from, split.delay_days)
        valid = np.flatnonzero(inside & (known_at <= end))
        _require(history, known, "train on", valid_from)
        _require(history, valid, "validate on", valid_from)
        return cls(
            known=known,
            valid=valid,
            all=np.flatnonzero(inside),
            valid_from=valid_from,
            valid_to=valid_to,
            delay_days=split.delay_days,
            told=told,
        )


def windows_of(history: History, days: Days, known_at: Array) -> Windows:
    """Windows before the validation days, the newest first, each with its own delay; those that have enough.

    All that they know was known when the validation days begin.
    """
    when = history.batch.occurred_at
    first, last = int(when[days.known[0]]), int(when[days.known[-1]]) + 1
    width = min(days.valid_to - days.valid_from, max((last - first) // 5, DAY))
    found = []
    for number in range(1, _WINDOWS + 1):
        cut = last - number * width
        rows = _known(history, known_at, cut, days.delay_days)
        later = days.known[(when[days.known] >= cut) & (when[days.known] < cut + width)]
        if all(_FEWEST <= history.fraud[side].sum() < len(side) for side in (rows, later)):
            found.append((rows, later))
    return found


def _known(history: History, known_at: Array, moment: int, delay_days: int) -> Array:
    """Rows whose label is known at a moment, but for the newest, of which only some are: frauds, mostly."""
    when = history.batch.occurred_at
    matured = (when < moment) & (when <= moment - delay_days * DAY)
    rows: Array = np.flatnonzero(matured & (known_at <= moment))
    return rows


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
