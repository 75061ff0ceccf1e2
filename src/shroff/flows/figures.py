"""The few figures of the newest report that metrics tell, as they are kept beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

WATCH = "watch.json"
"""Beside the files of a report: its day in bins, for the reports of the days after, and these figures."""
FORMAT = 1
"""Of what is kept: a file of another format is as one that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the newest report found."""

    date: str
    """Its day, as 2025-03-05."""
    psi: Mapping[str, float]
    """Columns that shifted most → PSI."""
    drift: Mapping[str, int]
    """stable, moving, shifted → columns."""
    rules: Mapping[str, int]
    """silent, spiking, never → rules."""
    strange_rules: tuple[tuple[str, str], ...]
    """(rule, state) of silent and spiking ones."""
    agreement: Mapping[str, float]
    """Challenger → how often its score leads to what the champion's does."""
    calibration: Mapping[str, float]
    """Model → frauds that came by frauds that it expected, in the newest week whose labels have come."""


class Newest(Protocol):
    """Reports of which the newest is asked for again and again."""

    def newest(self, name: str) -> bytes | None:
        """A file of the latest day that has it; None where none has."""


def newest_figures(reports: Newest) -> Figures | None:
    """What the newest report found; None before the first."""
    kept = reports.newest(WATCH)
    return None if kept is None else figures_in(kept)


@lru_cache(maxsize=1)
def figures_in(kept: bytes) -> Figures | None:
    """The figures of what was kept beside a report; None where another Shroff kept it."""
    found: dict[str, Any] = json.loads(kept)
    if found["format"] != FORMAT:
        return None
    figures = found["figures"]
    strange = tuple((rule, state) for rule, state in figures["strange_rules"])
    return Figures(date=found["date"], **(figures | {"strange_rules": strange}))
