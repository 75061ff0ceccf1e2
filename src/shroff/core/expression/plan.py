"""The plan of a program: operations of one sort at one depth, over all expressions, are one step.

    a > 5 and b > 1        step 1, greater  [a, b, a] with [5, 1, 7]
    a > 7 and b > 1        step 2, and      [a > 5, a > 7] with [b > 1, b > 1]

One call of numpy for each comparison would cost 250 rules a millisecond, whatever the size of the batch;
stacked, they cost one transaction a tenth of that. Nothing is generated, so there is nothing to `exec`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from shroff.core.expression.form import Expression, Kind, Node, Sheet
from shroff.core.expression.kernels import KERNELS, TEXT_KERNELS, Codes, Kernel, Stack, rounding

_COMMUTATIVE = frozenset({"equal", "add", "multiply"})


@dataclass(frozen=True, slots=True)
class Bench:
    """The working memory of one chunk: a row for every value that is not a constant."""

    numbers: NDArray[np.float64]
    truths: NDArray[np.bool_]
    codes: Codes

    def bank(self, kind: Kind) -> Stack:
        """Where values of a kind lie."""
        return self.truths if kind is Kind.BOOL else self.numbers


@dataclass(frozen=True, slots=True)
class Operand:
    """What a step reads: rows of one bank, or constants [operations, 1]."""

    kind: Kind
    rows: NDArray[np.intp]
    constants: Stack | None

    def read(self, bench: Bench) -> Stack:
        """The stack [operations, rows]."""
        if self.constants is not None:
            return self.constants
        return bench.bank(self.kind).take(self.rows, axis=0)


@dataclass(frozen=True, slots=True)
class Step:
    """One call over a stack; the results are neighbours in one bank."""

    kernel: Kernel
    operands: tuple[Operand, ...]
    kind: Kind
    rows: slice

    def run(self, bench: Bench) -> None:
        """Fill the rows of this step."""
        out = bench.bank(self.kind)[self.rows]
        self.kernel(*[operand.read(bench) for operand in self.operands], out=out)


@dataclass(frozen=True, slots=True)
class TextStep:
    """One function of text, asked once for each different text of a row."""

    op: str
    value: str
    operand: Operand
    kind: Kind
    rows: slice

    def run(self, bench: Bench) -> None:
        """Fill the rows of this step."""
        answer = TEXT_KERNELS[self.op](bench.codes, self.value)
        out = bench.bank(self.kind)[self.rows]
        for row, codes in zip(out, self.operand.read(bench), strict=True):
            row[:] = bench.codes.apply(answer, codes)


class Plan:
    """The steps for some expressions, in order, and where their inputs and answers lie."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._sheet = Sheet()
        roots = [self._root(expression) for expression in expressions]
        self._rows: dict[int, int] = {}
        self.codes = Codes.first(
            str(node.value) for node in self._sheet.nodes if _is_constant(node, Kind.TEXT)
        )
        self.inputs = {kind: self._take_in(kind) for kind in (Kind.NUMBER, Kind.TEXT, Kind.BOOL)}
        self.numbers = len(self.inputs[Kind.NUMBER]) + len(self.inputs[Kind.TEXT])
        self.truths = len(self.inputs[Kind.BOOL])
        self.steps = tuple(self._steps())
        self.answers = [(self._sheet.kind(root), self._rows[root]) for root in roots]

    def _root(self, expression: Expression) -> int:
        places: list[int] = []
        for node in expression.nodes:
            places.append(self._write(node, [places[operand] for operand in node.operands]))
        root = places[-1]
        if self._sheet.nodes[root].op == "constant":  # only an answer needs a constant in every row
            return self._sheet.add("spread", expression.kind, root)
        return root

    def _write(self, node: Node, operands: list[int]) -> int:
        if node.op in ("and", "or"):
            return self._paired(node.op, sorted(set(operands)))
        if node.op in _COMMUTATIVE:
            operands.sort()
        return self._sheet.add(node.op, node.kind, *operands, value=node.value)

    def _paired(self, op: str, operands: list[int]) -> int:
        while len(operands) > 1:
            pairs = zip(operands[::2], operands[1::2], strict=False)
            rest = operands[len(operands) // 2 * 2 :]
            operands = [self._sheet.test(op, left, right) for left, right in pairs] + rest
        return operands[0]

    def _take_in(self, kind: Kind) -> tuple[str, ...]:
        places = [
            place for place, node in enumerate(self._sheet.nodes) if node.op == "name" and node.kind is kind
        ]
        # numbers come first in their bank, codes of texts behind them
        first = len(self._rows) if kind is Kind.TEXT else 0
        self._rows.update((place, first + row) for row, place in enumerate(places))
        return tuple(str(self._sheet.nodes[place].value) for place in places)

    def _steps(self) -> list[Step | TextStep]:
        sorts = {place: self._sort(place, depth) for place, depth in enumerate(self._depths()) if depth}
        in_order = sorted(sorts, key=sorts.__getitem__)
        return [self._step(list(places)) for _, places in groupby(in_order, sorts.__getitem__)]

    def _depths(self) -> list[int]:
        depths: list[int] = []
        for node in self._sheet.nodes:
            depths.append(1 + max((depths[operand] for operand in node.operands), default=-1))
        return depths

    def _sort(self, place: int, depth: int) -> tuple[object, ...]:
        """What operations of one step have in common, the depth first."""
        node = self._sheet.nodes[place]
        written_out = tuple(_is_constant(self._sheet.nodes[operand]) for operand in node.operands)
        return depth, node.op, node.kind is Kind.BOOL, str(node.value), written_out

    def _step(self, places: list[int]) -> Step | TextStep:
        node = self._sheet.nodes[places[0]]
        columns = zip(*(self._sheet.nodes[place].operands for place in places), strict=True)
        operands = tuple(self._operand(column) for column in columns)
        rows = self._give_rows(places, node.kind)
        if node.op in TEXT_KERNELS:
            return TextStep(node.op, str(node.value), operands[0], node.kind, rows)
        kernel = rounding(float(node.value or 0.0)) if node.op == "round" else KERNELS[node.op]
        return Step(kernel, operands, node.kind, rows)

    def _give_rows(self, places: list[int], kind: Kind) -> slice:
        start = self.truths if kind is Kind.BOOL else self.numbers
        end = start + len(places)
        if kind is Kind.BOOL:
            self.truths = end
        else:
            self.numbers = end
        self._rows.update(zip(places, range(start, end), strict=True))
        return slice(start, end)

    def _operand(self, places: tuple[int, ...]) -> Operand:
        nodes = [self._sheet.nodes[place] for place in places]
        kind = nodes[0].kind
        if not _is_constant(nodes[0]):
            return Operand(kind, np.array([self._rows[place] for place in places], np.intp), None)
        values = [self.codes[node.value] if isinstance(node.value, str) else node.value for node in nodes]
        column = np.array(values, np.bool_ if kind is Kind.BOOL else np.float64)[:, None]
        return Operand(kind, np.empty(0, np.intp), column)


def _is_constant(node: Node, kind: Kind | None = None) -> bool:
    return node.op == "constant" and kind in (None, node.kind)
