"""Progress of long work: how far, how fast, how long still; silent where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Show = Callable[[int, int], None]
"""Told how much of the total is done, and how many rows that were."""


@contextmanager
def tracked(name: str, total: int, unit: str) -> Iterator[Show]:
    """A progress bar on standard error, with a rate in rows a second."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(
            name if unit != "days" else f"{name} ({total} days)", total=total, rows=0, rate=0.0
        )

        def show(done: int, rows: int) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            progress.update(task, completed=done, rows=rows, rate=rows / elapsed if elapsed else 0.0)

        yield show
