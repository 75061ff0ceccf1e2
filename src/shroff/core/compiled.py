"""Numba where it is installed, plain Python where it is not: the same answers either way.

Run as a module, compiles every kernel once so that the first start need not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

Array = NDArray[Any]
"""A column or a table of columns."""

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    from numba import njit
except ImportError:
    njit = None


def compiled(function: Function) -> Function:
    """Compile a loop over arrays; its plain Python form stays at `.py_func`."""
    if njit is None:
        function.py_func = function  # type: ignore[attr-defined]  # the attribute numba would add
        return function
    # No fastmath: reordered floats would make the compiled answer differ from the interpreted one.
    return njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]  # numba is untyped


def _warm() -> None:
    from shroff.core.columns import Batch
    from shroff.core.features import Layout, feature
    from shroff.core.observe import observe
    from shroff.core.state import State
    from shroff.core.transaction import Transaction

    entities = {"customer": ("customer_id",)}
    features = tuple(feature("customer", name, entities) for name in ("count_5m", "merchant_distinct_5m"))
    layout = Layout("customer", entities["customer"], features, lateness=0)
    one = Transaction(transaction_id="1", amount_minor=1, currency="USD", occurred_at=0, customer_id="1")
    observe(State.empty([layout], "USD", {}), Batch.of([one]))


if __name__ == "__main__":
    _warm()
