"""Figures and texts as a reader wants them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from shroff.core.money import DECIMALS

Number = int | Decimal
_MINUS, _DASH, _TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_CONTROL = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_PAST = {"challenge": "challenged", "review": "sent to review", "decline": "declined"}


def whole(number: Number) -> str:
    """A number without decimals, thousands separated."""
    return f"{Decimal(number):,.0f}".replace("-", _MINUS)


def money(amount: Decimal | None, currency: str | None = None) -> str:
    """An amount with all its decimals, or with those of the currency; a dash where there is none."""
    if amount is None:
        return _DASH
    decimals = "" if currency is None else f".{DECIMALS[currency]}"
    return f"{amount:,{decimals}f}".replace("-", _MINUS)


def percent(share: Decimal | None, decimals: int = 1) -> str:
    """A share as a percentage; one that is small and not nothing says so."""
    if share is None:
        return _DASH
    least = Decimal(1).scaleb(-decimals)
    shown = (share * 100).quantize(least, ROUND_HALF_EVEN)
    return f"< {least}%" if shown == 0 and share > 0 else f"{shown}%"


def figure(value: float | None) -> str:
    """A measured number in three digits; a dash where there is none.

    >>> figure(1234.5), figure(0.04567), figure(2.0)
    ('1,230', '0.0457', '2')
    """
    if value is None:
        return _DASH
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.10f}".rstrip("0").rstrip(".").replace("-", _MINUS)


def share(value: float | None) -> str:
    """A share that was measured, as a percentage in three digits; a dash where there is none."""
    return _DASH if value is None else f"{figure(100 * value)}%"


def version_of(version: str) -> str:
    """A model's version as far as a table tells it."""
    return version[:12]


def column_of(name: str) -> str:
    """A column's name as a table tells it: that of a model's score with its version cut.

    >>> column_of("customer.amount_mean_30d"), column_of("model.0123456789abcdef")
    ('customer.amount_mean_30d', 'model.0123456789ab')
    """
    start, _, version = name.partition(".")
    return f"{start}.{version_of(version)}" if start == "model" else name


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun, in the plural unless it is one."""
    return f"{whole(number)} {noun if number == 1 else plural or noun + 's'}"


def since(change: Mapping[str, Any]) -> str:
    """How a total moved, in a few characters: ▲ 2.1%, ▼ 14, no change."""
    difference = change["difference"]
    if difference is None:
        return ""
    if difference == 0:
        return "no change"
    arrow = "▲" if difference > 0 else "▼"
    ratio = change["ratio"]
    if ratio is None:
        return f"{arrow} from 0"
    if ratio >= 10:
        return f"{arrow} {_TIMES}{whole(ratio)}"
    return f"{arrow} {percent(abs(ratio - 1))}"


def long_date(day: str) -> str:
    """An ISO date in words, in English whatever the machine speaks."""
    at = date.fromisoformat(day)
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"


def visible(text: str | None, longest: int = 80) -> str:
    """A foreign text without what steers or hides text, cut where too long; a dash where missing."""
    if text is None:
        return _DASH
    flat = "".join(" " if unicodedata.category(each) in _CONTROL else each for each in text)
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def summary(document: Mapping[str, Any]) -> str:
    """The day in a sentence or two."""
    day, totals = long_date(document["date"]), document["totals"]
    if totals["count"] == 0:
        return f"There were no transactions on {day}.{_dead(totals['dead_letters'])}"
    worth = f" worth {money(totals['sum'])} {document['currency']}" if totals["sum"] else ""
    first = f"On {day} there were {counted(totals['count'], 'transaction')}{worth}: {_outcomes(document)}."
    if totals["count"] == 1:
        first = first.replace("there were", "there was", 1)
    return first + _moved(document["change"]) + _dead(totals["dead_letters"])


def _outcomes(document: Mapping[str, Any]) -> str:
    of = document["by_outcome"]
    flagged = [f"{whole(of[name]['count'])} {past}" for name, past in _PAST.items() if of[name]["count"]]
    if not flagged:
        return "all were approved"
    approved = percent(of["approve"]["share"]) if of["approve"]["count"] else "none"
    declined = f" ({money(of['decline']['sum'])} {document['currency']})" if of["decline"]["count"] else ""
    return ", ".join([f"{approved} were approved", *flagged[:-1]]) + f" and {flagged[-1]}{declined}"


def _moved(change: Mapping[str, Any]) -> str:
    count = change["totals"]["count"]
    if not count["before"]:
        return " The day before had none."
    if not count["difference"]:
        return " The day before had as many."
    more = "more" if count["difference"] > 0 else "fewer"
    by = abs(count["ratio"] - 1)
    share = percent(by) if by < 10 else whole(abs(count["difference"]))
    return f" That is {share} {more} than the day before."


def _dead(letters: int) -> str:
    if not letters:
        return ""
    wait = "waits as a dead letter" if letters == 1 else "wait as dead letters"
    return f" {counted(letters, 'message')} could not be processed and {wait}."
