"""Numba where it is installed, plain Python where it is not: the same answers either way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numpy.typing import NDArray

Array = NDArray[Any]
"""A column or a table of columns."""

Function = TypeVar("Function", bound=Callable[..., Any])


def _interpreted(function: Any) -> Any:
    function.py_func = function
    return function


try:
    from numba import njit
except ImportError:
    _compile: Callable[[Any], Any] = _interpreted
else:
    # No fastmath: reordered floats would make the compiled answer differ from the interpreted one.
    _compile = njit(cache=True, nogil=True)


def compiled(function: Function) -> Function:
    """Compile a loop over arrays; its plain Python form stays at `.py_func`."""
    return cast("Function", _compile(function))
