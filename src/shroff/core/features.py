"""Features by name: what a policy asks of each entity, laid out as columns.

A name is `ENTITY.OPERATION_WINDOW`, for example `customer.count_5m`, `card.amount_mean_30d`,
`ip.card_id_distinct_1h`, `customer_merchant.since_last_90d`, `merchant.fraud_rate_30d`. The
field of a distinct count may be named by the entity that it identifies: `customer.merchant_distinct_24h`,
`ip.card_distinct_1h`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from shroff.core.chains import (
    ACCUSED,
    ACCUSING,
    BEFORE,
    BELOW,
    CLEAN,
    COUNT,
    DEVIATION,
    HIGH,
    HIGHEST,
    LATER,
    LATEST,
    LOW,
    MEDIAN,
    NEAREST,
    NEWEST,
    OFTEN,
    OLDEST,
    PRICED,
    RECENT,
    RUN,
    SPREAD,
    TOTAL,
    UNEXPLAINED,
)
from shroff.core.compiled import Array
from shroff.core.money import DECIMALS
from shroff.core.places import AXES, distance, speed
from shroff.core.transaction import TEXTS

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([1-9]\d{0,5})([smhd])")
_NAME = re.compile(r"(?P<operation>[a-z_]+?)_(?P<window>[1-9]\d{0,5}[smhd])")
LONGEST_WINDOW = 400 * _UNITS["d"]

OPERATIONS: dict[str, str] = {
    "count": "how many transactions",
    "amount_sum": "sum of the amounts, in the base currency",
    "amount_mean": "mean of the amounts; missing without any",
    "amount_std": "sample standard deviation of the amounts; missing below two",
    "amount_min": "smallest amount; missing without any",
    "amount_max": "largest amount; missing without any",
    "since_last": "seconds since the last transaction; missing without any",
}
"""Operations over one entity's window; beside them `FIELD_distinct`, how many different values of a field."""

HABIT_OPERATIONS: dict[str, str] = {
    "amount_surprise": "logarithm of how many times the median of the amounts this one is",
    "amount_distance": "how many of their usual deviations this amount is above the median, by logarithms",
    "amount_rank": "the part of the amounts that are smaller than this one",
    "surprise_max": "logarithm of how many times the median the largest of the amounts is",
    "surprise_count": "how many of the amounts are far above the median: 2.7 times and three deviations",
    "since_surprise": "seconds since the newest of these; missing without any",
}
"""Operations over the newest amounts of a window, at most 64 and missing below three: what is usual."""

PLACE_OPERATIONS: dict[str, str] = {
    "distance_last": "kilometres from the last place; missing without any",
    "distance_usual": "kilometres from the middle of the places; missing without any",
    "speed": "kilometres an hour from the last place, at most 100,000; missing without any",
}
"""Operations over the transactions of a window that have a place; missing where this one has none."""

KNOWN_OPERATIONS: dict[str, str] = {
    "labelled_count": "how many labels became known",
    "fraud_count": "how many frauds became known",
    "fraud_rate": "the part of the labels that became known which are frauds; missing without any",
    "unexplained_count": "how many of these frauds are not explained by their amounts",
}
"""Operations over the labels that became known within a window, whenever their transactions occurred."""

RUN_OPERATIONS: dict[str, str] = {
    "since_fraud": "seconds since the newest known fraud occurred; missing without any",
    "fraud_run": "how many known frauds came in a row, from the newest back to one known to be legitimate",
    "fraud_run_age": "seconds since the oldest fraud of that row occurred; missing without any",
    "clean_since_fraud": "how many known to be legitimate came after that newest fraud; missing without any",
    "since_clean": "seconds since the newest known to be legitimate, if no fraud came later; missing else",
    "clean_before_run": "seconds since the one known to be legitimate before the row; missing without any",
    "run_unexplained": "how many frauds of that row are not explained by their amounts",
    "run_unexplained_age": "seconds since the oldest of these occurred; missing without any",
}
"""Operations over the transactions of a window whose labels are known, in the order of their occurring."""

ALL_OPERATIONS: dict[str, str] = (
    OPERATIONS | HABIT_OPERATIONS | PLACE_OPERATIONS | KNOWN_OPERATIONS | RUN_OPERATIONS
)

JUDGED_OPERATIONS = frozenset({"unexplained_count", "run_unexplained", "run_unexplained_age"})
"""What asks whether a fraud's amount explains it: whether it is twice the main entity's median or more."""


def milliseconds(duration: str) -> int:
    """A duration such as `5m`, `24h` or `30d` in milliseconds. Raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        wanted = "a whole number and s, m, h or d, for example 5m"
        raise ValueError(f'"{duration}" is not a duration: give {wanted}')
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column: an operation over one window of one entity."""

    name: str
    entity: str
    operation: str
    """A key of ALL_OPERATIONS, or `distinct`."""
    field: str | None
    """The transaction's member whose distinct values are counted."""
    window: int
    """Milliseconds."""


def feature(entity: str, text: str, entities: Mapping[str, Sequence[str]]) -> Feature:
    """The feature that `text` names for an entity, given every entity's fields. Raises ValueError."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a feature: give an operation and a window, for example count_5m')
    operation, window = match["operation"], milliseconds(match["window"])
    if window > LONGEST_WINDOW:
        raise ValueError(f'the window of "{text}" is longer than {LONGEST_WINDOW // _UNITS["d"]}d')
    counted = None
    if operation.endswith("_distinct"):
        of = operation.removesuffix("_distinct")
        fields = entities.get(of, (of,))
        if len(fields) != 1 or fields[0] not in TEXTS:
            known = ", ".join(TEXTS)
            raise ValueError(f'"{of}" in "{text}" is neither an entity of one field nor one of {known}')
        operation, counted = "distinct", fields[0]
    elif operation not in ALL_OPERATIONS:
        close = get_close_matches(operation, ALL_OPERATIONS, 1)
        meant = (
            f"did you mean {close[0]}_{match['window']}?"
            if close
            else f"choose from {', '.join(ALL_OPERATIONS)}"
        )
        raise ValueError(f'unknown operation "{operation}" in "{text}"; {meant}')
    return Feature(name=f"{entity}.{text}", entity=entity, operation=operation, field=counted, window=window)


@dataclass(frozen=True)
class Layout:
    """Where each feature of one entity comes from: its windows, its distinct counts, its columns."""

    entity: str
    fields: tuple[str, ...]
    """The transaction's members that together identify the entity."""
    features: tuple[Feature, ...]
    lateness: int
    """Milliseconds by which a transaction may be late and still meet whole windows."""
    judges: bool = field(default=False, repr=False)
    """Whether other entities ask if a fraud's amount is explained by this one's habit. Nothing is remembered
    for it."""

    @cached_property
    def payments(self) -> tuple[int, ...]:
        """The lengths in ms of the windows over transactions."""
        return self._lengths(OPERATIONS.keys() | HABIT_OPERATIONS)

    @cached_property
    def habits(self) -> tuple[int, ...]:
        """The lengths in ms of those whose habit is asked for."""
        return self._lengths(HABIT_OPERATIONS)

    @cached_property
    def judge(self) -> int | None:
        """The length in ms of the window by whose habit a fraud is explained, the longest."""
        return self.habits[-1] if self.judges else None

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The lengths in ms of the windows over places."""
        return self._lengths(PLACE_OPERATIONS)

    @cached_property
    def known(self) -> tuple[int, ...]:
        """The lengths in ms of the windows over labels by when they became known."""
        return self._lengths(KNOWN_OPERATIONS)

    @cached_property
    def runs(self) -> tuple[int, ...]:
        """The lengths in ms of the windows over labels by when their transactions occurred."""
        return self._lengths(RUN_OPERATIONS)

    @property
    def learns(self) -> bool:
        """Whether a label means anything to the entity."""
        return bool(self.known or self.runs or self.judges)

    @property
    def windows(self) -> tuple[int, ...]:
        """The lengths that chains are kept for, in ms: transactions, coordinates, both sorts of labels."""
        return self.payments + AXES * self.places + self.known + self.runs

    def _lengths(self, operations: Collection[str]) -> tuple[int, ...]:
        return tuple(sorted({f.window for f in self.features if f.operation in operations}))

    @cached_property
    def distincts(self) -> tuple[tuple[str, int], ...]:
        """(field, window) of each distinct count."""
        return tuple(sorted({(f.field, f.window) for f in self.features if f.field is not None}))

    def columns(
        self, answers: Answers, when: Array, amounts: Array, currency: str, points: Array | None = None
    ) -> Array:
        """Features [n, f] of n transactions, whose `amounts` are in minor units of the currency.

        Their `points` [n, 3] are those of their places, asked for only where there are `places`.
        """
        unit = float(10 ** DECIMALS[currency])
        out = np.empty((len(when), len(self.features)))
        for column, each in enumerate(self.features):
            if points is not None and each.operation in PLACE_OPERATIONS:
                out[:, column] = self._of_place(each, answers, when, points)
            else:
                out[:, column] = self._column(each, answers, when, amounts, unit)
        return out

    def _column(self, each: Feature, answers: Answers, when: Array, amounts: Array, unit: float) -> Array:
        if each.field is not None:
            distinct: Array = answers.distinct[:, self.distincts.index((each.field, each.window))]
            return distinct
        if each.operation in HABIT_OPERATIONS:
            habit = answers.habits[:, self.habits.index(each.window)]
            return _of_habit(each.operation, habit, when, amounts, unit)
        if each.operation in KNOWN_OPERATIONS:
            at = self._known_from + self.known.index(each.window)
            return _known(each.operation, answers.windows[:, at])
        if each.operation in RUN_OPERATIONS:
            at = self._known_from + len(self.known) + self.runs.index(each.window)
            return _of_run(each.operation, answers.windows[:, at], when)
        window = answers.windows[:, self.payments.index(each.window)]
        return _operate(each.operation, window, when, unit)

    def _of_place(self, each: Feature, answers: Answers, when: Array, points: Array) -> Array:
        """One operation over the three windows of a place's coordinates."""
        at = len(self.payments) + self.places.index(each.window)
        axes = answers.windows[:, at : self._known_from : len(self.places)]
        if each.operation == "distance_usual":
            return distance(points, axes[:, :, TOTAL], axes[:, 0, PRICED])
        last = distance(points, axes[:, :, NEAREST], np.ones(len(when)))
        return speed(last, when - axes[:, 0, LATEST]) if each.operation == "speed" else last

    @property
    def _known_from(self) -> int:
        """The first window of labels."""
        return len(self.payments) + AXES * len(self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one entity remembers before each of n transactions."""

    windows: Array
    """[n, windows, 8], as the chains answer."""
    habits: Array
    """[n, habits, 6], as the chains answer."""
    distinct: Array
    """[n, distinct counts]."""


def _operate(operation: str, window: Array, when: Array, unit: float) -> Array:
    """One operation over one window's answers [n, 8]; NaN where there is nothing to say."""
    if operation == "count":
        return window[:, COUNT]
    if operation == "amount_sum":
        return window[:, TOTAL] / unit
    if operation == "since_last":
        return _since(window[:, LATEST], when)
    some = np.where(window[:, PRICED] > 0, window[:, PRICED], np.nan)
    if operation == "amount_mean":
        return window[:, TOTAL] / some / unit
    if operation == "amount_std":
        return np.sqrt(window[:, SPREAD] / np.where(some > 1, some - 1, np.nan)) / unit
    extreme = window[:, LOW if operation == "amount_min" else HIGH]
    return np.where(np.isnan(some), np.nan, extreme) / unit


def _of_habit(operation: str, habit: Array, when: Array, amounts: Array, unit: float) -> Array:
    """One operation over one habit's answers [n, 6]; NaN where nothing is usual, or there is no amount.

    A unit of the currency, or a part of it, is added to what is divided by: cents are no multiple of cents.
    """
    median = habit[:, MEDIAN]
    if operation == "amount_surprise":
        return np.log((amounts + unit) / (median + unit))
    if operation == "amount_distance":
        # 1.4826 times the median deviation is the standard deviation where amounts are normally distributed.
        return np.log((amounts + unit) / (median + unit)) / (1.4826 * np.log(habit[:, DEVIATION]) + 0.1)
    if operation == "amount_rank":
        return np.where(np.isnan(amounts), np.nan, habit[:, BELOW])
    if operation == "surprise_max":
        return np.log((habit[:, HIGHEST] + unit) / (median + unit))
    if operation == "surprise_count":
        return habit[:, OFTEN]
    return _since(habit[:, RECENT], when)


def _known(operation: str, window: Array) -> Array:
    """One operation over what is known of labels [n, 8]."""
    count = window[:, COUNT]
    if operation == "labelled_count":
        return count
    unexplained = np.floor(window[:, TOTAL] / UNEXPLAINED)
    if operation == "unexplained_count":
        return unexplained
    frauds = window[:, TOTAL] - unexplained * UNEXPLAINED
    return frauds if operation == "fraud_count" else frauds / np.where(count > 0, count, np.nan)


_OF_RUNS = {
    "since_fraud": NEWEST,
    "fraud_run": RUN,
    "fraud_run_age": OLDEST,
    "clean_since_fraud": CLEAN,
    "since_clean": LATER,
    "clean_before_run": BEFORE,
    "run_unexplained": ACCUSING,
    "run_unexplained_age": ACCUSED,
}


def _of_run(operation: str, window: Array, when: Array) -> Array:
    """One operation over the newest run of frauds [n, 8]."""
    found: Array = window[:, _OF_RUNS[operation]]
    if operation in ("fraud_run", "run_unexplained"):
        return found
    if operation == "clean_since_fraud":
        return np.where(window[:, NEWEST] >= 0, found, np.nan)
    return _since(found, when)


def _since(then: Array, when: Array) -> Array:
    """Seconds since; NaN where there is no such time."""
    return np.where(then >= 0, (when - then) / 1000.0, np.nan)
