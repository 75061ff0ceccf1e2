"""Numba where it is installed, plain Python where it is not: the same answers either way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numpy.typing import NDArray

Array = NDArray[Any]
"""A column or a table of columns."""

Function = TypeVar("Function", bound=Callable[..., Any])

_kernels: list[Any] = []


def compiled(function: Function) -> Function:
    """Mark a loop over arrays as a kernel; its plain Python form stays at `.py_func`."""
    kernel = cast("Any", function)
    kernel.py_func = function
    _kernels.append(kernel)
    return function


def compile_kernels() -> None:
    """Put the compiled form of every kernel in its place, once; without numba they stay as they are.

    Called where windows begin to be kept: the gateway and most commands never do, and need not load numba.
    """
    if not _kernels:
        return
    try:
        from numba import njit  # noqa: PLC0415  # 0.2 s and 80 MB, see above
    except ImportError:
        _kernels.clear()
        return
    while _kernels:
        kernel = _kernels.pop()
        # No fastmath: reordered floats would make the compiled answer differ from the interpreted one.
        kernel.__globals__[kernel.__name__] = njit(cache=True, nogil=True)(kernel)


def runs_compiled(kernel: Callable[..., Any]) -> bool:
    """Whether the compiled form is in the kernel's place: for the few that have a quicker way without it."""
    return getattr(kernel, "py_func", kernel) is not kernel
