"""Features by name: what a policy asks of each entity, laid out as columns.

A name is `ENTITY.OPERATION_WINDOW`, for example `customer.count_5m`, `card.amount_mean_30d`,
`ip.card_id_distinct_1h`, `customer_merchant.since_last_90d`, `merchant.fraud_rate_30d`. The
field of a distinct count may be named by the entity that it identifies: `customer.merchant_distinct_24h`,
`ip.card_distinct_1h`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from shroff.core.chains import CLEAN, COUNT, HIGH, LATEST, LOW, NEWEST, OLDEST, PRICED, RUN, SPREAD, TOTAL
from shroff.core.compiled import Array
from shroff.core.money import DECIMALS
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

KNOWN_OPERATIONS: dict[str, str] = {
    "labelled_count": "how many labels became known",
    "fraud_count": "how many frauds became known",
    "fraud_rate": "the part of the labels that became known which are frauds; missing without any",
}
"""Operations over the labels that became known within a window, whenever their transactions occurred."""

RUN_OPERATIONS: dict[str, str] = {
    "since_fraud": "seconds since the newest known fraud occurred; missing without any",
    "fraud_run": "how many known frauds came in a row, from the newest back to one known to be legitimate",
    "fraud_run_age": "seconds since the oldest fraud of that row occurred; missing without any",
    "clean_since_fraud": "how many known to be legitimate came after that newest fraud; missing without any",
}
"""Operations over the transactions of a window whose labels are known, in the order of their occurring."""

ALL_OPERATIONS: dict[str, str] = OPERATIONS | KNOWN_OPERATIONS | RUN_OPERATIONS


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
    field = None
    if operation.endswith("_distinct"):
        of = operation.removesuffix("_distinct")
        fields = entities.get(of, (of,))
        if len(fields) != 1 or fields[0] not in TEXTS:
            known = ", ".join(TEXTS)
            raise ValueError(f'"{of}" in "{text}" is neither an entity of one field nor one of {known}')
        operation, field = "distinct", fields[0]
    elif operation not in ALL_OPERATIONS:
        close = get_close_matches(operation, ALL_OPERATIONS, 1)
        meant = (
            f"did you mean {close[0]}_{match['window']}?"
            if close
            else f"choose from {', '.join(ALL_OPERATIONS)}"
        )
        raise ValueError(f'unknown operation "{operation}" in "{text}"; {meant}')
    return Feature(name=f"{entity}.{text}", entity=entity, operation=operation, field=field, window=window)


@dataclass(frozen=True)
class Layout:
    """Where each feature of one entity comes from: its windows, its distinct counts, its columns."""

    entity: str
    fields: tuple[str, ...]
    """The transaction's members that together identify the entity."""
    features: tuple[Feature, ...]
    lateness: int
    """Milliseconds by which a transaction may be late and still meet whole windows."""

    @cached_property
    def payments(self) -> tuple[int, ...]:
        """The lengths in ms of the windows over transactions."""
        return self._lengths(OPERATIONS)

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
        """Whether any feature asks for labels."""
        return bool(self.known or self.runs)

    @property
    def windows(self) -> tuple[int, ...]:
        """The lengths that chains are kept for, in ms: of transactions, then of labels of both sorts."""
        return self.payments + self.known + self.runs

    def _lengths(self, operations: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({f.window for f in self.features if f.operation in operations}))

    def _chain(self, each: Feature) -> int:
        """The position in `windows` of the chains that a feature is answered from."""
        if each.operation in OPERATIONS:
            return self.payments.index(each.window)
        if each.operation in KNOWN_OPERATIONS:
            return len(self.payments) + self.known.index(each.window)
        return len(self.payments) + len(self.known) + self.runs.index(each.window)

    @cached_property
    def distincts(self) -> tuple[tuple[str, int], ...]:
        """(field, window) of each distinct count."""
        return tuple(sorted({(f.field, f.window) for f in self.features if f.field is not None}))

    def columns(self, queried: Array, distinct: Array, when: Array, currency: str) -> Array:
        """Features [n, f] from the answers of the chains [n, windows, 7] and of the distincts [n, d]."""
        unit = float(10 ** DECIMALS[currency])
        out = np.empty((len(when), len(self.features)))
        for column, each in enumerate(self.features):
            if each.field is not None:
                out[:, column] = distinct[:, self.distincts.index((each.field, each.window))]
            else:
                window = queried[:, self._chain(each)]
                if each.operation in OPERATIONS:
                    out[:, column] = _operate(each.operation, window, when, unit)
                else:
                    out[:, column] = _of_labels(each.operation, window, when)
        return out


def _operate(operation: str, window: Array, when: Array, unit: float) -> Array:
    """One operation over one window's answers [n, 7]; NaN where there is nothing to say."""
    if operation == "count":
        return window[:, COUNT]
    if operation == "amount_sum":
        return window[:, TOTAL] / unit
    if operation == "since_last":
        latest = window[:, LATEST]
        return np.where(latest >= 0, (when - latest) / 1000.0, np.nan)
    some = np.where(window[:, PRICED] > 0, window[:, PRICED], np.nan)
    if operation == "amount_mean":
        return window[:, TOTAL] / some / unit
    if operation == "amount_std":
        return np.sqrt(window[:, SPREAD] / np.where(some > 1, some - 1, np.nan)) / unit
    extreme = window[:, LOW if operation == "amount_min" else HIGH]
    return np.where(np.isnan(some), np.nan, extreme) / unit


def _of_labels(operation: str, window: Array, when: Array) -> Array:
    """One operation over what is known of labels, or of the newest run of frauds [n, 7]."""
    if operation == "labelled_count":
        return window[:, COUNT]
    if operation == "fraud_count":
        return window[:, TOTAL]
    if operation == "fraud_rate":
        return window[:, TOTAL] / np.where(window[:, COUNT] > 0, window[:, COUNT], np.nan)
    if operation == "fraud_run":
        return window[:, RUN]
    if operation == "clean_since_fraud":
        return np.where(window[:, NEWEST] >= 0, window[:, CLEAN], np.nan)
    then = window[:, NEWEST if operation == "since_fraud" else OLDEST]
    return np.where(then >= 0, (when - then) / 1000.0, np.nan)
