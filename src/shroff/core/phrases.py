"""Features in words: what a value of one says to a person, beside what is usual."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shroff.core.features import Feature

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIMES: Mapping[str, str] = {"night": "at night", "weekend": "at the weekend"}
_FIELDS: Mapping[str, tuple[str, str]] = {
    "customer_id": ("customer", "customers"),
    "card_id": ("card", "cards"),
    "device_id": ("device", "devices"),
    "merchant": ("merchant", "merchants"),
    "merchant_category": ("merchant category", "merchant categories"),
    "ip": ("IP address", "IP addresses"),
    "email": ("e-mail address", "e-mail addresses"),
    "country": ("country", "countries"),
    "channel": ("channel", "channels"),
}


_HUGE = 30.0
"""Of a logarithm that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """How to say one operation: `{value}`, `{entity}` and `{window}` stand for those of a feature."""

    told: str
    missing: str = ""
    """What is said where there is no value; the feature's name where it is empty."""
    shown: Callable[[float], str]
    noun: tuple[str, str] | None = None
    """Singular and plural of what is counted."""


def number(value: float) -> str:
    """A number as people write it: two decimals where it has any."""
    return f"{value:,.2f}".removesuffix(".00")


def share(value: float) -> str:
    """A part of one in percent."""
    return f"{100 * value:.3g} %"


def times(value: float) -> str:
    """A logarithm as how many times something is."""
    return f"{math.exp(min(value, _HUGE)):.2g} times"


def span(value: float) -> str:
    """Seconds in the largest unit of which there are two, with what it is called."""
    for size, name in _UNITS:
        if abs(value) >= 2 * size or size == 1:
            return counted(round(value / size), (name, f"{name}s"))
    raise AssertionError


def kilometres(value: float) -> str:
    """A distance in km, in tenths where it is short."""
    return f"{value:,.0f} km" if abs(value) >= 10.0 else f"{value:.2g} km"


def counted(count: float, noun: tuple[str, str]) -> str:
    """A number of things."""
    return f"{number(count)} {noun[0] if count == 1 else noun[1]}"


_TRANSACTIONS, _FRAUDS = ("transaction", "transactions"), ("known fraud", "known frauds")
_LABELLED, _CLEAN = ("known label", "known labels"), ("known legitimate one", "known legitimate ones")
_UNUSUAL = ("unusual amount", "unusual amounts")
_NO_HABIT = "fewer than three amounts of this {entity} in {window}"
_NO_AMOUNT = "no amount of this {entity} in {window}"
_NO_PLACE = "no place now, or none of this {entity} in {window}"
_NO_FRAUD = "no known fraud of this {entity} in {window}"

PHRASES: Mapping[str, Phrase] = {
    "count": Phrase(told="{value} of this {entity} in {window}", shown=number, noun=_TRANSACTIONS),
    "distinct": Phrase(told="{value} of this {entity} in {window}", shown=number),
    "amount_sum": Phrase(told="{value} in all by this {entity} in {window}", shown=number),
    "amount_mean": Phrase(
        told="mean amount {value} of this {entity} in {window}", missing=_NO_AMOUNT, shown=number
    ),
    "amount_std": Phrase(
        told="amounts of this {entity} in {window} spread by {value}",
        missing="fewer than two amounts of this {entity} in {window}",
        shown=number,
    ),
    "amount_min": Phrase(
        told="smallest amount {value} of this {entity} in {window}", missing=_NO_AMOUNT, shown=number
    ),
    "amount_max": Phrase(
        told="largest amount {value} of this {entity} in {window}", missing=_NO_AMOUNT, shown=number
    ),
    "since_last": Phrase(
        told="{value} since the last transaction of this {entity}",
        missing="no transaction of this {entity} in {window}",
        shown=span,
    ),
    "labelled_count": Phrase(told="{value} of this {entity} from {window}", shown=number, noun=_LABELLED),
    "fraud_count": Phrase(told="{value} of this {entity} from {window}", shown=number, noun=_FRAUDS),
    "fraud_rate": Phrase(
        told="{value} of what is known of this {entity} from {window} is fraud",
        missing="nothing is known of this {entity} from {window}",
        shown=share,
    ),
    "since_fraud": Phrase(
        told="{value} since the newest known fraud of this {entity}", missing=_NO_FRAUD, shown=span
    ),
    "fraud_run": Phrase(told="{value} of this {entity} in a row", shown=number, noun=_FRAUDS),
    "fraud_run_age": Phrase(
        told="{value} since known frauds of this {entity} began in a row", missing=_NO_FRAUD, shown=span
    ),
    "unexplained_count": Phrase(
        told="{value} of this {entity} from {window}, for no large amount", shown=number, noun=_FRAUDS
    ),
    "since_clean": Phrase(
        told="{value} since the newest known legitimate one of this {entity}",
        missing="none known to be legitimate of this {entity} in {window}",
        shown=span,
    ),
    "clean_before_run": Phrase(
        told="{value} since the last known legitimate one of this {entity} before its frauds",
        missing="none known to be legitimate of this {entity} before its frauds in {window}",
        shown=span,
    ),
    "run_unexplained": Phrase(
        told="{value} of this {entity} in a row, for no large amount", shown=number, noun=_FRAUDS
    ),
    "run_unexplained_age": Phrase(
        told="{value} since known frauds of this {entity} began in a row, for no large amount",
        missing=_NO_FRAUD,
        shown=span,
    ),
    "amount_surprise": Phrase(
        told="amount {value} the median of this {entity} in {window}", missing=_NO_HABIT, shown=times
    ),
    "amount_distance": Phrase(
        told="amount {value} usual deviations above the median of this {entity} in {window}",
        missing=_NO_HABIT,
        shown=number,
    ),
    "amount_rank": Phrase(
        told="amount above {value} of those of this {entity} in {window}", missing=_NO_HABIT, shown=share
    ),
    "surprise_max": Phrase(
        told="an amount of {value} the median of this {entity} in {window}", missing=_NO_HABIT, shown=times
    ),
    "surprise_count": Phrase(
        told="{value} of this {entity} in {window}", missing=_NO_HABIT, shown=number, noun=_UNUSUAL
    ),
    "since_surprise": Phrase(
        told="{value} since the last unusual amount of this {entity}",
        missing="no unusual amount of this {entity} in {window}",
        shown=span,
    ),
    "distance_last": Phrase(
        told="{value} from the last place of this {entity}", missing=_NO_PLACE, shown=kilometres
    ),
    "distance_usual": Phrase(
        told="{value} from where this {entity} usually is", missing=_NO_PLACE, shown=kilometres
    ),
    "speed": Phrase(
        told="{value} an hour from the last place of this {entity}", missing=_NO_PLACE, shown=kilometres
    ),
    "clean_since_fraud": Phrase(
        told="{value} of this {entity} since its newest known fraud",
        missing=_NO_FRAUD,
        shown=number,
        noun=_CLEAN,
    ),
}
"""Operation → how it is said. An operation that is not here is told by its name."""


def phrase(feature: Feature, value: float | None, usual: float | None = None) -> str:
    """A feature's value in words, and what is usual where that is known.

    >>> from shroff.core.features import feature
    >>> merchants = feature("customer", "merchant_distinct_1h", {"customer": ("customer_id",)})
    >>> phrase(merchants, 4.0, 1.0)
    '4 merchants of this customer in the last hour; usually 1'
    """
    said = PHRASES.get(feature.operation)
    places = {"entity": feature.entity.replace("_", " and "), "window": window(feature.window)}
    if value is None:
        return said.missing.format(**places) if said and said.missing else f"no {feature.name}"
    if said is None:
        return _beside(f"{feature.name} is {number(value)}", usual, number)
    noun = said.noun if feature.field is None else _FIELDS[feature.field]
    shown = said.shown(value) if noun is None else counted(value, noun)
    return _beside(said.told.format(value=shown, **places), usual, said.shown)


def plain_phrase(name: str, value: float | None, usual: float | None = None) -> str:
    """The same of a transaction's own number, or of whether it is on a list."""
    if name.startswith("list."):
        return f"{'' if value else 'not '}on the list {name.removeprefix('list.')}"
    said = name.removeprefix("attributes.")
    if name.startswith("derived."):
        said = name.removeprefix("derived.").replace("_", " ")
    if value is None:
        return f"no {said}"
    if name == "weekday":
        return f"on a {_WEEKDAYS[int(value) % 7]}"
    if name in _TIMES:
        return f"{'' if value else 'not '}{_TIMES[name]}"
    if name == "hour":
        return f"at {int(value)}:00 UTC"
    return _beside(f"{said} {number(value)}", usual, number)


def window(length: int) -> str:
    """A window of so many ms, in the unit that it is a whole number of."""
    seconds = length // 1000
    for size, name in _UNITS:
        if seconds % size == 0:
            count = seconds // size
            return f"the last {name}" if count == 1 else f"the last {count} {name}s"
    raise AssertionError


def _beside(said: str, usual: float | None, shown: Callable[[float], str]) -> str:
    return said if usual is None else f"{said}; usually {shown(usual)}"
