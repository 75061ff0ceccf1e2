"""The rule language: a small, typed, side-effect-free subset of Python's expressions."""

from shroff.core.expression.check import check
from shroff.core.expression.fault import ExpressionError, Position
from shroff.core.expression.form import Expression, Kind
from shroff.core.expression.functions import FUNCTIONS, Function
from shroff.core.expression.program import Program

__all__ = ["FUNCTIONS", "Expression", "ExpressionError", "Function", "Kind", "Position", "Program", "check"]
