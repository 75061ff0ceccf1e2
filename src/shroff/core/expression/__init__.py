"""The rule language: a small, typed, side-effect-free subset of Python's expressions.

    amount > 3 * customer.amount_mean_30d and country not in ("GB", "IE") and not list.trusted

A value is a number, a text or a bool. Numbers have + - * / // % and compare with < <= > >= == !=, also in
chains (0 < x <= 5), and with `in (1, 2)`; text compares with == != and `in ("a", "b")`; bools combine with
and, or, not. `a if condition else b` chooses between two of one kind. FUNCTIONS lists what can be called.

A number or a text may be missing. Arithmetic with a missing number is missing, and so is every result that is
not finite, as of a division by zero. A comparison with a missing value is false, whichever it is, != and
`not in` too; a comparison is never missing itself, so `not amount > 5` is true of a missing amount.
`missing(x)` asks.
"""

from shroff.core.expression.check import check
from shroff.core.expression.fault import ExpressionError, Position
from shroff.core.expression.form import Expression, Kind
from shroff.core.expression.functions import FUNCTIONS, Function
from shroff.core.expression.program import Program

__all__ = ["FUNCTIONS", "Expression", "ExpressionError", "Function", "Kind", "Position", "Program", "check"]
