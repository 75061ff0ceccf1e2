"""From a model's log-odds to a probability that can be believed, and how that is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shroff.core.compiled import Array

Kind = Literal["platt", "isotonic"]

_DIGITS = 12
"""Decimals of a probability: the last bits, in which machines' exponentials differ, do not show."""
_STEPS = 100
_SMALL = 1e-10


@dataclass(frozen=True, slots=True)
class Platt:
    """A line through the log-odds: keeps their order. Platt 1999."""

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, raw: Array) -> Array:
        """The probabilities [n] of log-odds [n]."""
        lines = np.clip(self.slope * raw + self.offset, -500.0, 500.0)
        probabilities: Array = np.round(1.0 / (1.0 + np.exp(-lines)), _DIGITS)
        return probabilities


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Points of a curve that never falls, straight between them and level beyond.

    `x` are log-odds, rising; `y` probabilities.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def probability(self, raw: Array) -> Array:
        """The probabilities [n] of log-odds [n]."""
        probabilities: Array = np.round(np.interp(raw, self.x, self.y), _DIGITS)
        return probabilities


Calibration = Platt | Isotonic


def fit(kind: Kind, raw: Array, fraud: Array) -> Calibration:
    """The calibration of this kind for log-odds [n] of which it is known what they were [n].

    Where all were fraud or none, nothing can be learned of it, and the log-odds are taken at their word.
    """
    if not fraud.any() or fraud.all():
        return Platt()
    return fit_platt(raw, fraud) if kind == "platt" else fit_isotonic(raw, fraud)


def fit_platt(raw: Array, fraud: Array) -> Platt:
    """The line of greatest likelihood, by Newton's method on Platt's smoothed targets (Lin et al. 2007)."""
    hits = int(np.count_nonzero(fraud))
    target = np.where(fraud, (hits + 1) / (hits + 2), 1 / (len(fraud) - hits + 2))
    columns = np.column_stack([raw, np.ones(len(raw))])
    line = np.array([1.0, 0.0])
    loss = _loss(columns @ line, target)
    for _ in range(_STEPS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(columns @ line, -500.0, 500.0)))
        slope = columns.T @ (likely - target)
        curve = (columns.T * (likely * (1.0 - likely))) @ columns + 1e-12 * np.eye(2)
        step, size = np.linalg.solve(curve, slope), 1.0
        while size > _SMALL and _loss(columns @ (line - size * step), target) > loss:
            size /= 2
        if size <= _SMALL:
            break
        line = line - size * step
        before, loss = loss, _loss(columns @ line, target)
        if before - loss < _SMALL:
            break
    return Platt(float(line[0]), float(line[1]))


def _loss(lines: Array, target: Array) -> float:
    return float(np.sum(np.logaddexp(0.0, lines) - target * lines))


def fit_isotonic(raw: Array, fraud: Array) -> Isotonic:
    """The curve that never falls and is nearest in squares, by pooling neighbours that do."""
    order = np.argsort(raw, kind="stable")
    blocks: list[tuple[float, float, float]] = []  # log-odds, frauds, transactions: all summed up
    for odds, hit in zip(raw[order].tolist(), fraud[order].tolist(), strict=True):
        block = (odds, float(hit), 1.0)
        while blocks and _falls_or_joins(blocks[-1], block):
            block = _pooled(blocks.pop(), block)
        blocks.append(block)
    return Isotonic(
        tuple(odds / many for odds, _, many in blocks), tuple(hits / many for _, hits, many in blocks)
    )


def _falls_or_joins(before: tuple[float, float, float], after: tuple[float, float, float]) -> bool:
    return before[1] / before[2] >= after[1] / after[2] or before[0] / before[2] >= after[0] / after[2]


def _pooled(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]
