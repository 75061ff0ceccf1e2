"""What the demo shows while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.policy import OUTCOMES
from shroff.runtimes.demo.score import Line, Score
from shroff.runtimes.demo.traffic import Sent

_STYLES = {"approve": "green", "challenge": "cyan", "review": "yellow", "decline": "red"}


def live(
    sent: Sent, totals: dict[str, int], in_flight: int, swept: str, alerts: Sequence[Alert]
) -> RenderableType:
    """The live table: rate, outcomes, sweeps, alerts, lag."""
    table = Table.grid(padding=(0, 3))
    table.add_row("simulated time", instant(sent.clock)[:19].replace("T", " ") if sent.clock else "-")
    table.add_row("accepted", f"{sent.answers[202]:,}  ({sent.rate():,.0f}/s)")
    table.add_row(
        "decided",
        f"{totals['decided']:,}  ({in_flight:,} in flight, {totals['dead_lettered']:,} dead letters)",
    )
    outcomes = Text("   ").join(
        Text(f"{name} {totals[f'outcome.{name}']:,}", style=_STYLES[name]) for name in OUTCOMES
    )
    table.add_row("outcomes", outcomes)
    table.add_row("swept", swept)
    table.add_row("alerts", f"{totals['alerts']:,}")
    newest = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2))
    for heading in ("newest alerts", "about", "hits", "why"):
        newest.add_column(heading, no_wrap=True, overflow="ellipsis")
    for alert in alerts:
        style = _STYLES.get(alert.outcome, "")
        newest.add_row(
            Text(alert.rule, style=style), escape(alert.key), str(alert.hits), escape(alert.reason)
        )
    parts: list[RenderableType] = [table, Text(), newest]
    if sent.failed:
        parts.append(Text(sent.failed, style="red"))
    return Group(*parts)


def line(sent: Sent, totals: dict[str, int], in_flight: int, swept: str) -> str:
    """The same in one line, where nobody watches a terminal."""
    outcomes = ", ".join(f"{totals[f'outcome.{name}']} {name}" for name in OUTCOMES)
    return (
        f"{instant(sent.clock)[:19]}  {sent.answers[202]} accepted ({sent.rate():.0f}/s), "
        f"{totals['decided']} decided with the history: {outcomes}; {totals['alerts']} alerts, "
        f"{in_flight} in flight; swept {swept}"
    )


def final(score: Score) -> RenderableType:
    """What was caught of what was planted, by typology."""
    table = Table(
        title="Planted fraud and what was caught (review or decline)", title_justify="left", box=None
    )
    for heading in (
        "typology",
        "planted",
        "caught",
        "recall",
        "challenged",
        "money planted",
        "money caught",
        "",
    ):
        table.add_column(heading, justify="left" if heading == "typology" else "right")
    for name, each in [*score.lines.items(), ("all", score.total)]:
        if each.planted:
            table.add_row(name, *_cells(each), style="bold" if name == "all" else "")
    stopped = f"{score.flagged} stopped, {score.flagged - score.honest_flagged} of them fraud"
    honest = f"{_share(score.honest_flagged, score.honest)} of honest payments stopped"
    words = f"precision {score.precision:.0%}: {stopped}; recall {score.recall:.0%}; {honest}"
    return Group(table if score.total.planted else Text("No fraud was planted in this stretch."), Text(words))


def _cells(line: Line) -> tuple[str, ...]:
    return (
        f"{line.planted}",
        f"{line.caught}",
        _share(line.caught, line.planted),
        f"{line.challenged}",
        _money(line.money_planted),
        _money(line.money_caught),
        _share(line.money_caught, line.money_planted),
    )


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _money(minor: int) -> str:
    return f"{minor / 100:,.2f}"
