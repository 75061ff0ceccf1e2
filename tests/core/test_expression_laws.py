"""The laws of the rule language, over random expressions and rows, against a reading of it row by row."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shroff.core.expression import Kind, Program, check

NAMES = {
    **dict.fromkeys(["amount", "customer.count_5m", "card.amount_sum_24h"], Kind.NUMBER),
    **dict.fromkeys(["merchant", "attributes.tier"], Kind.TEXT),
    **dict.fromkeys(["list.blocked", "is_new"], Kind.BOOL),
}
_TEXTS = ["", "a", "A", "ab", "Bar", "ß", "bär"]
_NUMBERS = ["0", "1", "2.5", "-3", "7", "1e15", "0.1"]


def _named(kind: Kind) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, other in NAMES.items() if other is kind])


def _written(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    strategies = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.tuples(*strategies).map(" ".join)


_one_of = st.sampled_from
_text_constants = _one_of(_TEXTS).map(repr)
_number_constants = _one_of(_NUMBERS)
_lists = st.lists(_number_constants, min_size=1, max_size=3).map(lambda each: f"({', '.join(each)},)")
_text_lists = st.lists(_text_constants, min_size=1, max_size=3).map(lambda each: f"[{', '.join(each)}]")

# Each kind is written with expressions of a smaller depth, down to names and constants.
Layer = dict[Kind, st.SearchStrategy[str]]
_leaves: Layer = {
    Kind.NUMBER: _named(Kind.NUMBER) | _number_constants,
    Kind.TEXT: _named(Kind.TEXT) | _text_constants,
    Kind.BOOL: _named(Kind.BOOL) | _one_of(["True", "False"]),
}


def _choice(below: Layer, kind: Kind) -> st.SearchStrategy[str]:
    return _written("(", below[kind], "if", below[Kind.BOOL], "else", below[kind], ")")


def _numbers(below: Layer) -> st.SearchStrategy[str]:
    number = below[Kind.NUMBER]
    one = _one_of(["abs", "floor", "sqrt", "log", "round"])
    return st.one_of(
        _written("(", number, _one_of(["+", "-", "*", "/", "//", "%"]), number, ")"),
        _written("(-", number, ")"),
        _written(one, "(", number, ")"),
        _written(_one_of(["min", "max", "coalesce"]), "(", number, ",", number, ")"),
        _written("round(", number, ",", _one_of("0126"), ")"),
        _written("length(", below[Kind.TEXT], ")"),
        _choice(below, Kind.NUMBER),
    )


def _texts(below: Layer) -> st.SearchStrategy[str]:
    text = below[Kind.TEXT]
    return st.one_of(
        _written("lower(", text, ")"),
        _written("coalesce(", text, ",", text, ")"),
        _choice(below, Kind.TEXT),
    )


def _truths(below: Layer) -> st.SearchStrategy[str]:
    number, text, truth = below[Kind.NUMBER], below[Kind.TEXT], below[Kind.BOOL]
    order, among = _one_of([">", ">=", "<", "<=", "==", "!="]), _one_of(["in", "not in"])
    asks = _one_of(["startswith", "endswith", "contains"])
    return st.one_of(
        _written("(", number, order, number, ")"),
        _written("(", number, order, number, order, number, ")"),
        _written("(", number, among, _lists, ")"),
        _written("(", text, _one_of(["==", "!="]), text, ")"),
        _written("(", text, among, _text_lists, ")"),
        _written("(", truth, _one_of(["and", "or"]), truth, ")"),
        _written("(not", truth, ")"),
        _written("missing(", number | text | truth, ")"),
        _written(asks, "(", text, ",", _text_constants, ")"),
        _choice(below, Kind.BOOL),
    )


def _layer(below: Layer) -> Layer:
    above = {Kind.NUMBER: _numbers(below), Kind.TEXT: _texts(below), Kind.BOOL: _truths(below)}
    return {kind: below[kind] | above[kind] for kind in Kind}


_layers = _layer(_layer(_layer(_leaves)))
expressions = st.one_of(list(_layers.values()))

_floats = st.sampled_from([0.0, 1.0, 2.5, -3.0, 7.0, math.nan, math.inf, 1e308]) | st.floats()
_values = {Kind.NUMBER: _floats, Kind.TEXT: st.none() | st.sampled_from(_TEXTS), Kind.BOOL: st.booleans()}
rows = st.fixed_dictionaries({name: _values[kind] for name, kind in NAMES.items()})
batches = st.lists(rows, min_size=1, max_size=8)

Row = dict[str, Any]


def columns(batch: list[Row]) -> dict[str, NDArray[Any]]:
    """Rows as columns."""
    dtypes = {Kind.NUMBER: np.float64, Kind.TEXT: np.object_, Kind.BOOL: np.bool_}
    return {name: np.array([row[name] for row in batch], dtype=dtypes[kind]) for name, kind in NAMES.items()}


def run(sources: list[str], batch: list[Row]) -> list[list[object]]:
    """The answers of expressions for rows, missing as None."""
    answers = Program([check(source, NAMES) for source in sources]).run(columns(batch), len(batch))
    return [[_plain(value) for value in answer.tolist()] for answer in answers]


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def bits(answers: list[list[object]]) -> str:
    """Answers as text that differs wherever they do, even in the sign of a zero."""
    return repr(answers)


# The oracle: one row, one value, None for missing, read off the design


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _rounded(x: float, digits: float = 0) -> float:
    return round(x, int(digits))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "floor": math.floor,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "log": lambda x: float(np.log(x)) if x > 0 else math.nan,
    "round": _rounded,
    "min": min,
    "max": max,
    "lower": str.lower,
    "length": len,
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, among: one in among,
    ast.NotIn: lambda one, among: one not in among,
}


def _called(name: str, arguments: list[Any]) -> Any:
    if name == "missing":
        return arguments[0] is None
    if name == "coalesce":
        return arguments[1] if arguments[0] is None else arguments[0]
    if name in _TESTS:
        return arguments[0] is not None and _TESTS[name](*arguments)
    if None in arguments:
        return None
    answer = _FUNCTIONS[name](*arguments)
    return answer if isinstance(answer, str) else _finite(answer)


def _calculated(op: ast.operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return _finite(_ARITHMETIC[type(op)](left, right))
    except ZeroDivisionError:
        return None


def _truth(node: ast.expr, row: Row) -> bool:
    match node:
        case ast.BoolOp(ast.And(), values):
            return all(oracle(value, row) for value in values)
        case ast.BoolOp(_, values):
            return any(oracle(value, row) for value in values)
        case ast.Compare(left, ops, comparators):
            values = [oracle(one, row) for one in (left, *comparators)]
            tests = [_COMPARISONS[type(op)] for op in ops]
            pairs = zip(tests, pairwise(values), strict=True)
            return None not in values and all(test(*pair) for test, pair in pairs)
    raise AssertionError(ast.dump(node))


def _unary(op: ast.unaryop, value: Any) -> Any:
    if isinstance(op, ast.Not):
        return not value
    return None if value is None else -value


def oracle(node: ast.expr, row: Row) -> Any:
    """The value of one node for one row."""
    match node:
        case ast.Constant(value):
            return float(value) if type(value) is int else value
        case ast.Name() | ast.Attribute():
            value = row[ast.unparse(node)]
            return _finite(value) if isinstance(value, float) else value
        case ast.Tuple(each) | ast.List(each):
            return [oracle(one, row) for one in each]
        case ast.UnaryOp(op, operand):
            return _unary(op, oracle(operand, row))
        case ast.BinOp(left, op, right):
            return _calculated(op, oracle(left, row), oracle(right, row))
        case ast.IfExp(test, body, orelse):
            return oracle(body if oracle(test, row) else orelse, row)
        case ast.Call(ast.Name(name), arguments):
            return _called(name, [oracle(argument, row) for argument in arguments])
    return _truth(node, row)


@given(expressions, batches)
def test_a_batch_means_what_each_row_means_by_the_book(source: str, batch: list[Row]) -> None:
    tree = ast.parse(source, mode="eval").body
    assert run([source], batch) == [[oracle(tree, row) for row in batch]]


@given(st.lists(expressions, min_size=1, max_size=4), batches)
def test_a_batch_gives_what_each_row_gives_alone(sources: list[str], batch: list[Row]) -> None:
    alone = [run(sources, [row]) for row in batch]
    assert bits(run(sources, batch)) == bits([[one[i][0] for one in alone] for i in range(len(sources))])


@given(st.lists(expressions, min_size=2, max_size=6), batches)
def test_sharing_work_among_expressions_changes_no_answer(sources: list[str], batch: list[Row]) -> None:
    doubled = [*sources, *sources, *(f"({source})" for source in reversed(sources))]
    alone = [run([source], batch)[0] for source in sources]
    assert bits(run(doubled, batch)) == bits([*alone, *alone, *reversed(alone)])


@given(expressions, rows, st.integers(500, 1100))
def test_a_row_gives_the_same_wherever_it_stands_in_a_large_batch(source: str, row: Row, size: int) -> None:
    other = {
        name: {Kind.NUMBER: 2.0, Kind.TEXT: "other", Kind.BOOL: True}[kind] for name, kind in NAMES.items()
    }
    [alone] = run([source], [row])
    [answers] = run([source], [other] * (size - 1) + [row])
    assert bits([answers[-1:]]) == bits([alone])


@given(expressions)
def test_an_expression_says_the_kind_of_its_answer(source: str) -> None:
    expression = check(source, NAMES)
    [answer] = Program([expression]).run(columns([]), 0)
    dtypes = {Kind.NUMBER: np.float64, Kind.TEXT: np.object_, Kind.BOOL: np.bool_}
    assert answer.dtype == dtypes[expression.kind]
