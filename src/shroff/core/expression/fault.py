"""What is wrong with an expression, where, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 60
_GUESSED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the source of an expression, counted from 1."""

    column: int
    line: int | None = None
    """Given only where the source has more than one line."""

    def __str__(self) -> str:
        return f"column {self.column}" if self.line is None else f"line {self.line}, column {self.column}"


class ExpressionError(ValueError):
    """An expression is outside the rule language.

    >>> print(ExpressionError("unknown name amout", Position(column=1), "did you mean amount?"))
    unknown name amout at column 1; did you mean amount?
    """

    def __init__(self, message: str, position: Position, hint: str | None = None) -> None:
        super().__init__(message, position, hint)
        self.message = message
        self.position = position
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.message} at {self.position}"
        return place if self.hint is None else f"{place}; {self.hint}"


def shown(word: str) -> str:
    """A word of the source, cut so that no message grows with a hostile source."""
    return word if len(word) <= _SHOWN else word[: _SHOWN - 3] + "..."


def guess(word: str, known: Iterable[str]) -> str | None:
    """The hint that names the nearest known word, if any is near."""
    if len(word) > _GUESSED:  # difflib is quadratic, and nobody mistypes that much
        return None
    near = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(word.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else None
