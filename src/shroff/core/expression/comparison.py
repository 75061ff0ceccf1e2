"""How two values compare: what is allowed, and what it is written as."""

from __future__ import annotations

import ast

from shroff.core.expression.form import Kind, Sheet
from shroff.core.expression.source import Source

_ORDER: dict[type[ast.cmpop], tuple[str, bool]] = {
    ast.Gt: ("greater", False),
    ast.GtE: ("greater_equal", False),
    ast.Lt: ("greater", True),
    ast.LtE: ("greater_equal", True),
}


class Comparisons:
    """Writes comparisons on a sheet, none of which is true of a missing value."""

    __slots__ = ("_sheet", "_source")

    def __init__(self, sheet: Sheet, source: Source) -> None:
        self._sheet = sheet
        self._source = source

    def test(self, left: int, op: ast.cmpop, right: int, at: ast.expr) -> int:
        """One comparison of two nodes; `at` is where a fault is shown."""
        self._check_kinds(left, right, at)
        if isinstance(op, ast.Eq):
            return self._sheet.test("equal", left, right)
        if isinstance(op, ast.NotEq):
            # two orders instead of one inequality, which would be true of a missing value
            orders = self._sheet.test("greater", left, right), self._sheet.test("greater", right, left)
            return self._sheet.any_of(*orders)
        return self._order(left, op, right, at)

    def _check_kinds(self, left: int, right: int, at: ast.expr) -> None:
        kinds = self._sheet.kind(left), self._sheet.kind(right)
        if kinds[0] is not kinds[1]:
            raise self._source.fault(f"cannot compare {kinds[0]} with {kinds[1]}", at)
        if kinds[0] is Kind.BOOL:
            raise self._source.fault("cannot compare bool with bool", at, "a bool stands alone: x, not x")

    def _order(self, left: int, op: ast.cmpop, right: int, at: ast.expr) -> int:
        known = _ORDER.get(type(op))
        if known is None:
            raise self._source.fault(f"{type(op).__name__} is not part of the rule language", at)
        if self._sheet.kind(left) is Kind.TEXT:
            raise self._source.fault("text has no order", at, "compare text with ==, != or in")
        test, swapped = known
        return self._sheet.test(test, right, left) if swapped else self._sheet.test(test, left, right)
