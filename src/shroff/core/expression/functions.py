"""The functions of the rule language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shroff.core.expression.form import Kind, Sheet

_NUMBER, _TEXT, _BOOL = Kind.NUMBER, Kind.TEXT, Kind.BOOL
_SEVERAL = tuple((_NUMBER,) * count for count in range(2, 9))
_MAX_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that expressions may call."""

    name: str
    usage: str
    """How a call is written, and what it gives."""
    meaning: str
    """What it answers, in a sentence."""
    takes: tuple[tuple[Kind, ...], ...]
    """The kinds of its arguments; one row for every way to call it."""
    constants: frozenset[int]
    """The arguments, counted from 0, that must be written out."""
    build: Callable[..., int]
    """Writes a call on a sheet; raises ValueError for a constant that is out of bounds."""


def _missing(sheet: Sheet, x: int) -> int:
    """Whether x is missing; the only question that a missing value answers with true."""
    return sheet.constant(False) if sheet.kind(x) is _BOOL else sheet.test("missing", x)


def _coalesce(sheet: Sheet, x: int, default: int) -> int:
    """x, or the default where x is missing."""
    return sheet.choice(sheet.test("missing", x), default, x)


def _abs(sheet: Sheet, x: int) -> int:
    """x without its sign."""
    return sheet.add("abs", _NUMBER, x)


def _min(sheet: Sheet, first: int, *others: int) -> int:
    """The smallest of 2 to 8 numbers; missing where one of them is."""
    for other in others:
        first = sheet.add("min", _NUMBER, first, other)
    return first


def _max(sheet: Sheet, first: int, *others: int) -> int:
    """The largest of 2 to 8 numbers; missing where one of them is."""
    for other in others:
        first = sheet.add("max", _NUMBER, first, other)
    return first


def _round(sheet: Sheet, x: int, digits: int | None = None) -> int:
    """x to 0 to 6 decimals as Python rounds: halves to even, as seen in binary (2.675 is a little less)."""
    decimals = 0.0 if digits is None else sheet.nodes[digits].value
    if not isinstance(decimals, float) or decimals not in range(_MAX_DIGITS + 1):
        raise ValueError(f"round takes 0 to {_MAX_DIGITS} digits")
    return sheet.add("round", _NUMBER, x, value=decimals)


def _floor(sheet: Sheet, x: int) -> int:
    """The largest whole number that is not above x."""
    return sheet.add("floor", _NUMBER, x)


def _sqrt(sheet: Sheet, x: int) -> int:
    """The square root; missing below 0."""
    return sheet.add("sqrt", _NUMBER, x)


def _log(sheet: Sheet, x: int) -> int:
    """The natural logarithm; missing at 0 and below."""
    return sheet.add("log", _NUMBER, x)


def _lower(sheet: Sheet, s: int) -> int:
    """The text in lower case."""
    return sheet.add("lower", _TEXT, s)


def _startswith(sheet: Sheet, s: int, start: int) -> int:
    """Whether the text starts so; false where it is missing."""
    return sheet.test("startswith", s, value=str(sheet.nodes[start].value))


def _endswith(sheet: Sheet, s: int, end: int) -> int:
    """Whether the text ends so; false where it is missing."""
    return sheet.test("endswith", s, value=str(sheet.nodes[end].value))


def _contains(sheet: Sheet, s: int, part: int) -> int:
    """Whether the text has this part; false where it is missing."""
    return sheet.test("contains", s, value=str(sheet.nodes[part].value))


def _length(sheet: Sheet, s: int) -> int:
    """The number of characters."""
    return sheet.add("length", _NUMBER, s)


def _function(
    build: Callable[..., int], usage: str, *takes: tuple[Kind, ...], constants: tuple[int, ...] = ()
) -> Function:
    return Function(
        name=usage.partition("(")[0],
        usage=usage,
        meaning=build.__doc__ or "",
        takes=takes,
        constants=frozenset(constants),
        build=build,
    )


_ALL = (
    _function(_missing, "missing(x) -> bool", (_NUMBER,), (_TEXT,), (_BOOL,)),
    _function(_coalesce, "coalesce(x, default) -> number or text, as x", (_NUMBER,) * 2, (_TEXT,) * 2),
    _function(_abs, "abs(number) -> number", (_NUMBER,)),
    _function(_min, "min(number, number, ...) -> number", *_SEVERAL),
    _function(_max, "max(number, number, ...) -> number", *_SEVERAL),
    _function(_round, "round(number, digits=0) -> number", (_NUMBER,), (_NUMBER, _NUMBER), constants=(1,)),
    _function(_floor, "floor(number) -> number", (_NUMBER,)),
    _function(_sqrt, "sqrt(number) -> number", (_NUMBER,)),
    _function(_log, "log(number) -> number", (_NUMBER,)),
    _function(_lower, "lower(text) -> text", (_TEXT,)),
    _function(_startswith, 'startswith(text, "start") -> bool', (_TEXT, _TEXT), constants=(1,)),
    _function(_endswith, 'endswith(text, "end") -> bool', (_TEXT, _TEXT), constants=(1,)),
    _function(_contains, 'contains(text, "part") -> bool', (_TEXT, _TEXT), constants=(1,)),
    _function(_length, "length(text) -> number", (_TEXT,)),
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _ALL})
