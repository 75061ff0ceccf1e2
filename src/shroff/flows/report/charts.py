"""Bar charts as geometry: what the template draws as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shroff.flows.report.words import counted, whole

WIDTH, HEIGHT = 960, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 4, 10, 24
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One rectangle, in the chart's units."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One hour: its bars from the bottom up, and what it says when pointed at."""

    label: str
    hour: int
    x: float
    width: float
    bars: tuple[Bar, ...]
    mark: float | None
    """Where the day before came to; None where it is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """24 columns over a scale."""

    width: int
    height: int
    left: int
    bottom: int
    """The y of the zero line."""
    grid: tuple[tuple[float, str], ...]
    """(y, label) of each line of the scale."""
    columns: tuple[Column, ...]
    empty: bool


def hourly(hours: Sequence[Mapping[str, Any]], outcomes: Sequence[str], *, before: bool) -> Chart:
    """Counts by hour, stacked by outcome; with `before`, a mark for the count of the day before."""
    stacks = [sum(hour[outcome]["count"] for outcome in outcomes) for hour in hours]
    marks = [hour["count_before"] for hour in hours] if before else []
    most = max(*stacks, *marks, 0) if hours else 0
    top = _ceiling(most)
    scale = (HEIGHT - _TOP - _BOTTOM) / top
    slot = (WIDTH - _LEFT - _RIGHT) / len(hours)
    columns = []
    for at, hour in enumerate(hours):
        x, width = _LEFT + at * slot + slot * 0.12, slot * 0.76
        mark = HEIGHT - _BOTTOM - marks[at] * scale if marks and any(marks) else None
        columns.append(
            Column(
                label=_label(hour, outcomes, before=before),
                hour=hour["hour"],
                x=round(x, 2),
                width=round(width, 2),
                bars=_stack(hour, outcomes, x, width, scale),
                mark=None if mark is None else round(mark, 2),
            )
        )
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        bottom=HEIGHT - _BOTTOM,
        grid=tuple((round(HEIGHT - _BOTTOM - value * scale, 2), whole(value)) for value in _ticks(top)),
        columns=tuple(columns),
        empty=not any(stacks),
    )


def _stack(
    hour: Mapping[str, Any], outcomes: Sequence[str], x: float, width: float, scale: float
) -> tuple[Bar, ...]:
    bars, base = [], float(HEIGHT - _BOTTOM)
    for outcome in outcomes:
        height = hour[outcome]["count"] * scale
        if height:
            base -= height
            bars.append(
                Bar(
                    kind=outcome,
                    x=round(x, 2),
                    y=round(base, 2),
                    width=round(width, 2),
                    height=round(height, 2),
                )
            )
    return tuple(bars)


def _label(hour: Mapping[str, Any], outcomes: Sequence[str], *, before: bool) -> str:
    parts = [f"{whole(hour[outcome]['count'])} {outcome}" for outcome in outcomes if hour[outcome]["count"]]
    if before:
        parts.append(f"{whole(hour['count_before'])} the day before")
    total = sum(hour[outcome]["count"] for outcome in outcomes)
    at = f"{hour['hour']:02d}:00 to {hour['hour']:02d}:59"
    return f"{at}: {counted(total, 'transaction')} ({', '.join(parts) or 'none'})"


def _ceiling(most: int) -> int:
    """The top of a scale for values up to `most`: at most six steps of 1, 2 or 5 times a power of ten."""
    step = _step(most)
    return max(-(-most // step), 1) * step


def _ticks(top: int) -> range:
    return range(0, top + 1, _step(top))


def _step(most: int) -> int:
    power = 1
    while True:
        for factor in _STEPS:
            if most <= 6 * factor * power:
                return factor * power
        power *= 10
