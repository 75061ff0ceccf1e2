"""What changed since the day before."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

Number = int | Decimal

_SIX = Decimal("0.000001")


def changes(
    today: Mapping[str, Number | None], before: Mapping[str, Number | None]
) -> dict[str, dict[str, Any]]:
    """Each total of today beside that of the day before."""
    return {name: change(value, before[name]) for name, value in today.items()}


def change(today: Number | None, before: Number | None) -> dict[str, Any]:
    """Two values with their difference and their ratio; null where one of them is missing.

    >>> change(110, 100)
    {'today': 110, 'before': 100, 'difference': 10, 'ratio': Decimal('1.100000')}
    """
    if today is None or before is None:
        return {"today": today, "before": before, "difference": None, "ratio": None}
    return {"today": today, "before": before, "difference": today - before, "ratio": ratio(today, before)}


def ratio(part: Number, whole: Number) -> Decimal | None:
    """A quotient half rounded to even at six decimals; None of nothing."""
    if not whole:
        return None
    with localcontext(prec=60):
        return (Decimal(part) / Decimal(whole)).quantize(_SIX, ROUND_HALF_EVEN)
