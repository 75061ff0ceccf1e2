"""Figures of a card as a reader wants them."""

from __future__ import annotations

DASH = "\N{EN DASH}"


def share(value: float | None) -> str:
    """A share in percent, three digits that count."""
    return DASH if value is None else f"{float(f'{100 * value:.3g}'):.10g} %"


def figure(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals."""
    return DASH if value is None else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    """A whole number, thousands separated."""
    return DASH if value is None else f"{value:,.0f}"


def between(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval; nothing where there is none."""
    return "" if low is None or high is None else f"{low:.{digits}f} {DASH} {high:.{digits}f}"
