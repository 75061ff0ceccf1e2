"""Expressions compiled once, for batches of columns of one row or of ten million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shroff.core.expression.form import Expression, Kind
from shroff.core.expression.kernels import Codes, lose_infinite
from shroff.core.expression.plan import Bench, Plan

Columns = Mapping[str, NDArray[Any]]
"""An array [n] a name: float64 with NaN for missing, object of str or None, or bool."""

_DTYPES = {Kind.NUMBER: np.float64, Kind.TEXT: np.object_, Kind.BOOL: np.bool_}
_CHUNK = 512
"""Rows at a time, so that the working memory of some hundred rules stays in the cache."""


class Program:
    """Some expressions, evaluated together; what they share is evaluated once.

    >>> from shroff.core.expression import check
    >>> rule = check("amount > 100", {"amount": Kind.NUMBER})
    >>> Program([rule]).run({"amount": np.array([99.0, 101.0, np.nan])}, 3)
    [array([False,  True, False])]
    """

    __slots__ = ("_banks", "_order", "_plan", "names", "operations")

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._plan = Plan(expressions)
        self.names = frozenset().union(*self._plan.inputs.values())
        """The columns that a run reads."""
        self.operations = sum(step.rows.stop - step.rows.start for step in self._plan.steps)
        """How many different operations the expressions come to."""
        self._banks = {kind: _rows_of(kind, self._plan.answers) for kind in Kind}
        self._order = _order(self._plan.answers)

    def run(self, columns: Columns, n: int) -> list[NDArray[Any]]:
        """An array [n] for each expression: bool, float64 with NaN for missing, or object of str or None.

        A number that is not finite counts as missing. Raises KeyError for a column that is not there and
        ValueError for one that is not n long.
        """
        inputs = {kind: _columns(columns, names, n) for kind, names in self._plan.inputs.items()}
        answers: dict[Kind, NDArray[Any]] = {
            kind: np.empty((len(rows), n), _DTYPES[kind]) for kind, rows in self._banks.items()
        }
        with np.errstate(all="ignore"):
            for start in range(0, n, _CHUNK):
                part = slice(start, min(start + _CHUNK, n))
                self._answer(self._run_part(inputs, part), answers, part)
        banked = [row for kind in Kind for row in answers[kind]]
        return [banked[place] for place in self._order]

    def _run_part(self, inputs: Mapping[Kind, list[NDArray[Any]]], part: slice) -> Bench:
        width = part.stop - part.start
        bench = Bench(
            np.empty((self._plan.numbers, width)),
            np.empty((self._plan.truths, width), np.bool_),
            Codes.after(self._plan.codes),
        )
        _take_in(inputs, part, bench)
        for step in self._plan.steps:
            step.run(bench)
        return bench

    def _answer(self, bench: Bench, answers: Mapping[Kind, NDArray[Any]], part: slice) -> None:
        for kind, rows in self._banks.items():
            if len(rows):
                found = bench.bank(kind).take(rows, axis=0)
                answers[kind][:, part] = bench.codes.texts(found) if kind is Kind.TEXT else found


def _columns(columns: Columns, names: tuple[str, ...], n: int) -> list[NDArray[Any]]:
    chosen = [columns[name] for name in names]
    for name, column in zip(names, chosen, strict=True):
        if len(column) != n:
            raise ValueError(f"column {name} has {len(column)} rows, not {n}")
    return chosen


def _take_in(inputs: Mapping[Kind, list[NDArray[Any]]], part: slice, bench: Bench) -> None:
    numbers, texts, truths = inputs[Kind.NUMBER], inputs[Kind.TEXT], inputs[Kind.BOOL]
    if numbers:
        taken = bench.numbers[: len(numbers)]
        np.concatenate([column[part] for column in numbers], out=taken.reshape(-1))
        lose_infinite(taken)
    if truths:
        np.concatenate([column[part] for column in truths], out=bench.truths[: len(truths)].reshape(-1))
    for row, column in zip(bench.numbers[len(numbers) :], texts, strict=False):
        row[:] = bench.codes.of(column[part].tolist(), part.stop - part.start)


def _rows_of(kind: Kind, answers: Sequence[tuple[Kind, int]]) -> NDArray[np.intp]:
    return np.array([row for other, row in answers if other is kind], np.intp)


def _order(answers: Sequence[tuple[Kind, int]]) -> list[int]:
    """Where each answer lies when all answers of one kind follow those of another."""
    by_kind = [place for kind in Kind for place, (other, _) in enumerate(answers) if other is kind]
    return [banked for _, banked in sorted(zip(by_kind, range(len(by_kind)), strict=True))]
