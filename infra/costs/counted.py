"""What the local cloud counted: requests, units, bytes and processor time of each part of the work."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("counted.toml")

BY_THE_CLOCK = ("read policy", "sqs GetQueueAttributes", "write days", "read days")
"""What each process asks now and then, however much it has to do; it is counted apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one run of a function takes, or one transaction within it."""

    milliseconds: float = 0.0
    """Of the processor."""
    log_bytes: float = 0.0
    log_lines: float = 0.0
    units: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, float] = field(default_factory=dict)

    def together(self, other: Part, change: Callable[[float, float], float]) -> Part:
        """A part made of two, figure by figure."""

        def mixed(one: Mapping[str, float], two: Mapping[str, float]) -> dict[str, float]:
            return {name: change(one.get(name, 0), two.get(name, 0)) for name in sorted({*one, *two})}

        return Part(
            milliseconds=change(self.milliseconds, other.milliseconds),
            log_bytes=change(self.log_bytes, other.log_bytes),
            log_lines=change(self.log_lines, other.log_lines),
            units=mixed(self.units, other.units),
            calls=mixed(self.calls, other.calls),
        )

    def times(self, factor: float) -> Part:
        """So many of it."""
        return self.together(Part(), lambda mine, _: mine * factor)

    def plus(self, other: Part) -> Part:
        """Both."""
        return self.together(other, lambda mine, its: mine + its)

    def written(self, prefix: str = "") -> float:
        """Write units, of all kinds of items or of those that begin so."""
        return _sum(self.units, f"write {prefix}")

    def read(self, prefix: str = "") -> float:
        """Read units, likewise."""
        return _sum(self.units, f"read {prefix}")

    def called(self, *names: str) -> float:
        """Calls of these actions."""
        return sum(self.calls.get(name, 0) for name in names)


def _sum(units: Mapping[str, float], prefix: str) -> float:
    return sum(each for name, each in units.items() if name.startswith(prefix))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From the API to the decision, for one kind of traffic in batches of one size."""

    batch: int
    api: Part
    """A request."""
    consumer: Part
    """A batch."""
    stored: Mapping[str, float]
    """Bytes of a transaction by kind of item; `entity` is a whole entity's."""
    entities: float
    """Of all kinds, for one transaction a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Everything that was counted."""

    machine: str
    metrics: int
    ways: Mapping[tuple[str, int], Way]
    posted: Mapping[str, Part]
    """A request of a hundred transactions."""
    sweep: tuple[Part, Part]
    """A run, and a transaction in its window."""
    report: tuple[Part, Part]
    history: Mapping[int, Part]
    """Transactions before the window → the sweep of that window."""
    history_window: int
    """Transactions in that window."""


def read_counted(path: Path = FILE) -> Counted:
    """What was counted, from a file."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    ways = {
        (kind, batch): _way(of_kind[f"by_{batch}"], batch)
        for kind, of_kind in told["traffic"].items()
        for batch in (1, 10)
    }
    return Counted(
        machine=f"{told['machine']['processor']}, Python {told['machine']['python']}",
        metrics=told["metrics"],
        ways=ways,
        posted={kind: _part(each["posted_100"]) for kind, each in told["traffic"].items()},
        sweep=_line(told["sweep"]),
        report=_line(told["report"]),
        history={int(records): _part(each) for records, each in told["history"].items()},
        history_window=told["history_window"],
    )


def _way(told: Mapping[str, Any], batch: int) -> Way:
    count, stored = told["transactions"], dict(told["stored"])
    entities, entity = stored.pop("entity items"), stored.pop("entity")
    a_transaction = {name: each / count for name, each in stored.items()}
    return Way(
        batch=batch,
        api=_part(told["api"]),
        consumer=_part(told["consumer"]),
        stored=a_transaction | {"entity": entity / entities},
        entities=told["remembered"] / told["a_day"],
    )


def _part(told: Mapping[str, Any]) -> Part:
    """One run, without what is asked by the clock."""

    def one(figures: Mapping[str, float]) -> dict[str, float]:
        return {name: each / told["runs"] for name, each in figures.items() if name not in BY_THE_CLOCK}

    return Part(
        milliseconds=told["milliseconds"] / told["runs"],
        log_bytes=told["log_bytes"] / told["runs"],
        log_lines=told["log_lines"] / told["runs"],
        units=one(told["units"]),
        calls=one(told["calls"]),
    )


def _line(told: Mapping[str, Any]) -> tuple[Part, Part]:
    """What a run takes by itself, and what each transaction adds: a straight line through two runs."""
    (few, less), (many, more) = sorted((int(count), _part(each)) for count, each in told.items())
    slope = more.together(less, lambda most, least: max(0.0, (most - least) / (many - few)))
    alone = less.together(slope, lambda whole, each: max(0.0, whole - few * each))
    return alone, slope
