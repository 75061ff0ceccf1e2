"""A card's curves as geometry: what the template draws as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shroff.flows.card.words import figure, share

WIDTH, HEIGHT = 480, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 44
_DECADES = 4
"""Scores are drawn from a ten-thousandth on, a decade as wide as the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A mark at a place, and what it says when pointed at."""

    x: float
    y: float
    label: str
    low: float | None = None
    """Where its interval ends, as y; None where none is drawn."""
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Two axes with their marks."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    across: tuple[tuple[float, str], ...]
    """(x, label) of each line of the scale."""
    up: tuple[tuple[float, str], ...]
    """(y, label)."""
    title_across: str
    title_up: str
    line: str
    """The points of a line, as SVG has them; empty for none."""
    base: tuple[float, float, float, float]
    """A line to compare with, x1 y1 x2 y2."""
    points: tuple[Point, ...]


def precision_recall(curve: Sequence[Mapping[str, float]], rate: float, marked: float | None) -> Chart:
    """Precision over recall; chance alone would be at the rate of frauds. A score is marked on it."""
    line = " ".join(f"{_x(each['recall']):.1f},{_y(each['precision']):.1f}" for each in curve)
    return _chart(
        ticks=[(each / 5, share(each / 5)) for each in range(6)],
        place=lambda value: value,
        titles=("recall: of the frauds, so many found", "precision: of those found, so many frauds"),
        line=line,
        base=(_x(0), _y(rate), _x(1), _y(rate)),
        points=_marked(curve, marked),
    )


def calibration(bins: Sequence[Mapping[str, Any]]) -> Chart:
    """What came true over what was predicted, both on scales of decades; on the diagonal is right."""
    points = [
        Point(
            x=round(_x(_log(each["predicted"])), 1),
            y=round(_y(_log(each["observed"])), 1),
            low=round(_y(_log(each["observed_low"])), 1),
            high=round(_y(_log(each["observed_high"])), 1),
            label=(
                f"Scores from {each['from']:g} to {each['to']:g}: {share(each['predicted'])} predicted, "
                f"{share(each['observed'])} came true, {each['frauds']:,} of {each['transactions']:,}"
            ),
        )
        for each in bins
    ]
    return _chart(
        ticks=[(10.0**-each, share(10.0**-each)) for each in range(_DECADES, -1, -1)],
        place=_log,
        titles=("predicted: mean score", "came true: share of frauds"),
        line="",
        base=(_x(0), _y(0), _x(1), _y(1)),
        points=points,
    )


def _marked(curve: Sequence[Mapping[str, float]], score: float | None) -> list[Point]:
    """The last point of the curve that the score lets by."""
    let_by = [each for each in curve if score is not None and each["threshold"] >= score]
    return [
        Point(
            x=round(_x(each["recall"]), 1),
            y=round(_y(each["precision"]), 1),
            label=(
                f"From score {score:g} on: precision {share(each['precision'])}, "
                f"recall {share(each['recall'])}"
            ),
        )
        for each in let_by[-1:]
    ]


def _chart(
    *,
    ticks: Sequence[tuple[float, str]],
    place: Callable[[float], float],
    titles: tuple[str, str],
    line: str,
    base: tuple[float, float, float, float],
    points: Sequence[Point],
) -> Chart:
    x1, y1, x2, y2 = (float(figure(each, 1)) for each in base)
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        bottom=HEIGHT - _BOTTOM,
        across=tuple((round(_x(place(value)), 1), label) for value, label in ticks),
        up=tuple((round(_y(place(value)), 1), label) for value, label in ticks),
        title_across=titles[0],
        title_up=titles[1],
        line=line,
        base=(x1, y1, x2, y2),
        points=tuple(points),
    )


def _x(share_of_width: float) -> float:
    return _LEFT + share_of_width * (WIDTH - _LEFT - _RIGHT)


def _y(share_of_height: float) -> float:
    return HEIGHT - _BOTTOM - share_of_height * (HEIGHT - _TOP - _BOTTOM)


def _log(value: float) -> float:
    return min(max(1 + math.log10(max(value, 1e-12)) / _DECADES, 0.0), 1.0)
