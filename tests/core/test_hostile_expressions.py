"""Expressions written to break out, blow up or hang are refused when they are checked, and quickly."""

from __future__ import annotations

import time
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shroff.core.expression import FUNCTIONS, ExpressionError, Kind, Program, check
from tests.core.hostile import FAMILIES, NAMES

_DTYPES = {Kind.NUMBER: np.float64, Kind.TEXT: np.object_, Kind.BOOL: np.bool_}
_LONGEST_SECONDS = 2.0  # a hang, not a slow machine


def refused(source: object) -> bool:
    """Whether a check answers with its own error; any other error passes through."""
    try:
        check(source, NAMES)  # type: ignore[arg-type]
    except ExpressionError as error:
        return len(str(error)) < 500
    return False


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_hostile_expression_is_refused(family: Callable[[], Iterator[str]]) -> None:
    assert [source for source in family() if not refused(source)] == []


def test_at_least_a_thousand_hostile_expressions_are_tried() -> None:
    assert len({source for family in FAMILIES for source in family()}) >= 1_000


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_no_hostile_expression_takes_long_to_refuse(family: Callable[[], Iterator[str]]) -> None:
    for source in family():
        start = time.process_time()
        refused(source)
        assert time.process_time() - start < _LONGEST_SECONDS, source[:100]


def test_a_mistyped_name_is_refused_quickly_among_thousands() -> None:
    names = {f"customer.{name}_{i}": Kind.NUMBER for name in ("count", "amount_sum") for i in range(3_000)}
    start = time.process_time()
    with pytest.raises(ExpressionError, match=r"did you mean customer\.count_1777"):
        check("customer.cuont_1777 > 1", names)
    assert time.process_time() - start < _LONGEST_SECONDS


@pytest.mark.parametrize("source", [None, 1, 1.5, True, b"amount > 1", ["amount"], {"amount": 1}, object()])
def test_what_is_not_text_is_refused(source: object) -> None:
    assert refused(source)


def test_a_lookalike_is_refused_though_python_would_read_it_as_the_name() -> None:
    source = "ａmount > 1"  # noqa: RUF001
    assert unicodedata.normalize("NFKC", source) == "amount > 1"
    with pytest.raises(ExpressionError, match=r"`\\uff41` is not part of the rule language at column 1"):
        check(source, NAMES)


_SIGNS = (
    "( ) [ ] , . + - * / // % ** < > == != := and or not in if else True None is lambda for x 1 2.5 'a' \"é\""
)
_soup = st.lists(st.sampled_from([*NAMES, *FUNCTIONS, *_SIGNS.split(), "\n"]), max_size=12)


@given(st.text() | _soup.map(" ".join) | _soup.map("".join))
def test_any_text_is_either_refused_with_its_place_or_evaluates(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expression = check(source, NAMES)
        except ExpressionError as error:
            position = error.position
            assert 1 <= position.column <= len(source) + 1
            assert 1 <= (position.line or 1) <= source.count("\n") + 1
        else:
            empty: dict[str, NDArray[Any]] = {
                name: np.empty(0, _DTYPES[NAMES[name]]) for name in expression.names
            }
            assert len(Program([expression]).run(empty, 0)) == 1
