"""The syntax tree to typed nodes: the second allow-list, over constructs, names, functions and kinds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from shroff.core.expression.comparison import Comparisons
from shroff.core.expression.fault import ExpressionError, Position, guess, shown
from shroff.core.expression.form import Expression, Kind, Sheet
from shroff.core.expression.functions import FUNCTIONS, Function
from shroff.core.expression.source import Source

MAX_NUMBER = 1e15
MAX_TEXT = 200

_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", "+"),
    ast.Sub: ("subtract", "-"),
    ast.Mult: ("multiply", "*"),
    ast.Div: ("divide", "/"),
    ast.FloorDiv: ("floor_divide", "//"),
    ast.Mod: ("remainder", "%"),
}
_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute of something that is not a name",
    ast.Subscript: "an index",
    ast.Starred: "a starred argument",
    ast.Tuple: "a list outside of `in`",
    ast.List: "a list outside of `in`",
}
_OTHERWISE = {
    "true": "write True",
    "false": "write False",
    "null": "ask with missing(x)",
    "nan": "ask with missing(x)",
}


def check(source: str, names: Mapping[str, Kind]) -> Expression:
    """Check a source against the names it may read, and give the expression that evaluates it.

    Raises ExpressionError for everything outside the language, so that evaluating never fails.

    >>> check("amount > 3 * customer.mean", {"amount": Kind.NUMBER, "customer.mean": Kind.NUMBER}).kind
    <Kind.BOOL: 'bool'>
    """
    if not isinstance(source, str):
        raise ExpressionError(f"an expression is text, not {type(source).__name__},", Position(column=1))
    parsed = Source(source)
    checker = _Checker(parsed, names)
    nodes = checker.sheet.finished(checker.visit(parsed.tree))
    used = frozenset(str(node.value) for node in nodes if node.op == "name")
    return Expression(source=source, kind=nodes[-1].kind, names=used, nodes=nodes)


class _Checker:
    """One walk over one tree; every method answers the place of its node on the sheet."""

    __slots__ = ("_comparisons", "_names", "_source", "_visits", "sheet")

    def __init__(self, source: Source, names: Mapping[str, Kind]) -> None:
        self.sheet = Sheet()
        self._source = source
        self._comparisons = Comparisons(self.sheet, source)
        self._names = names
        self._visits: dict[type[ast.expr], Callable[..., int]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._name,
            ast.BoolOp: self._logic,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._comparison,
            ast.IfExp: self._choice,
            ast.Call: self._call,
        }

    def visit(self, node: ast.expr) -> int:
        """Write one node and all below it."""
        visit = self._visits.get(type(node))
        if visit is None:
            raise self._outside(node)
        return visit(node)

    def _outside(self, node: ast.expr) -> ExpressionError:
        construct = _CONSTRUCTS.get(type(node), f"a {type(node).__name__}")
        return self._source.fault(f"{construct} is not part of the rule language", node)

    def _visit_as(self, kind: Kind, node: ast.expr, who: str) -> int:
        place = self.visit(node)
        met = self.sheet.kind(place)
        if met is not kind:
            hint = "it takes bool, such as a comparison" if kind is Kind.BOOL else f"it takes {kind}"
            raise self._source.fault(f"`{who}` cannot take {met}", node, hint)
        return place

    def _constant(self, node: ast.Constant) -> int:
        value = node.value
        if isinstance(value, bool):
            return self.sheet.constant(value)
        if isinstance(value, int | float):
            return self._number(value, node)
        if not isinstance(value, str):
            raise self._source.fault(f"{shown(ascii(value))} is not part of the rule language", node)
        if len(value) > MAX_TEXT:
            raise self._source.fault(f"a text of more than {MAX_TEXT} characters", node)
        return self.sheet.constant(value)

    def _number(self, value: int | float, node: ast.expr) -> int:
        if abs(value) > MAX_NUMBER:  # before float(value), which a huge whole number does not have
            raise self._source.fault(f"a number beyond {MAX_NUMBER:.0e}", node)
        return self.sheet.constant(float(value))

    def _name(self, node: ast.Name | ast.Attribute) -> int:
        name = self._dotted(node)
        kind = self._names.get(name)
        if kind is None:
            raise self._source.fault(f"unknown name {shown(name)}", node, self._name_hint(name))
        return self.sheet.add("name", kind, value=name)

    def _dotted(self, node: ast.expr) -> str:
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self._outside(node)
        return ".".join([inner.id, *reversed(parts)])

    def _name_hint(self, name: str) -> str | None:
        if name in FUNCTIONS:
            return f"it is a function: {FUNCTIONS[name].usage}"
        return _OTHERWISE.get(name) or guess(name, self._names)

    def _logic(self, node: ast.BoolOp) -> int:
        word = "and" if isinstance(node.op, ast.And) else "or"
        operands = [self._visit_as(Kind.BOOL, value, word) for value in node.values]
        join = self.sheet.all_of if word == "and" else self.sheet.any_of
        return join(*operands)

    def _unary(self, node: ast.UnaryOp) -> int:
        if isinstance(node.op, ast.Not):
            return self.sheet.negated(self._visit_as(Kind.BOOL, node.operand, "not"))
        if not isinstance(node.op, ast.USub):
            raise self._source.fault("a sign that changes nothing", node, "leave the + out")
        operand = self._visit_as(Kind.NUMBER, node.operand, "-")
        written = self.sheet.nodes[operand]
        if written.op == "constant" and isinstance(written.value, float):
            return self.sheet.constant(-written.value)
        return self.sheet.add("negative", Kind.NUMBER, operand)

    def _arithmetic(self, node: ast.BinOp) -> int:
        known = _ARITHMETIC.get(type(node.op))
        if known is None:
            raise self._outside(node)
        op, sign = known
        left = self._visit_as(Kind.NUMBER, node.left, sign)
        return self.sheet.add(op, Kind.NUMBER, left, self._visit_as(Kind.NUMBER, node.right, sign))

    def _choice(self, node: ast.IfExp) -> int:
        condition = self._visit_as(Kind.BOOL, node.test, "if")
        chosen = self.visit(node.body)
        other = self._visit_as(self.sheet.kind(chosen), node.orelse, "else")
        return self.sheet.choice(condition, chosen, other)

    def _comparison(self, node: ast.Compare) -> int:
        left = self.visit(node.left)
        tests: list[int] = []
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                if len(node.ops) > 1:
                    raise self._source.fault("`in` within a chain of comparisons", right, "join with and")
                return self._membership(left, right, negated=isinstance(op, ast.NotIn))
            place = self.visit(right)
            tests.append(self._comparisons.test(left, op, place, right))
            left = place
        return self.sheet.all_of(*tests)

    def _membership(self, left: int, right: ast.expr, *, negated: bool) -> int:
        if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
            raise self._source.fault("`in` needs a list of constants", right, 'write it as in ("GB", "US")')
        op = ast.NotEq() if negated else ast.Eq()
        tests = [self._comparisons.test(left, op, self._written_out(one), one) for one in right.elts]
        return self.sheet.all_of(*tests) if negated else self.sheet.any_of(*tests)

    def _written_out(self, node: ast.expr) -> int:
        place = self.visit(node)
        if self.sheet.nodes[place].op != "constant":
            raise self._source.fault("a constant is needed", node, "write the value out")
        return place

    def _call(self, node: ast.Call) -> int:
        function = self._function(node)
        if node.keywords:
            raise self._source.fault("a named argument is not part of the rule language", node)
        visits = (self._written_out if i in function.constants else self.visit for i in range(len(node.args)))
        places = [visit(argument) for visit, argument in zip(visits, node.args, strict=True)]
        met = tuple(self.sheet.kind(place) for place in places)
        if met not in function.takes:
            wrong = f"{function.name} cannot take ({', '.join(met[:9])})"
            raise self._source.fault(wrong, node, f"it is {function.usage}")
        try:
            return function.build(self.sheet, *places)
        except ValueError as error:
            raise self._source.fault(str(error), node.args[-1]) from None

    def _function(self, node: ast.Call) -> Function:
        if not isinstance(node.func, ast.Name):
            raise self._source.fault("only a function can be called", node, _listed())
        name = node.func.id
        if name not in FUNCTIONS:
            raise self._source.fault(
                f"unknown function {shown(name)}", node, guess(name, FUNCTIONS) or _listed()
            )
        return FUNCTIONS[name]


def _listed() -> str:
    return f"functions are {', '.join(FUNCTIONS)}"
