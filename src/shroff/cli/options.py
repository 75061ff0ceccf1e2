"""Options that commands share, and how they read times and print answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from shroff.core.errors import Fault, Rejected
from shroff.runtimes.logs import configure_logs
from shroff.runtimes.wiring import Embedded, open_embedded

Data = Annotated[
    Path, Parameter(name="--data", env_var="SHROFF_DATA", help="Folder of queue, store and reports.")
]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Answer as JSON, for programs.")]
_MILLISECONDS_FROM = 10**11
DEFAULT_DATA = Path("var/data")


@contextmanager
def opened(data: Path, *, create: bool = False) -> Iterator[Embedded]:
    """An existing data folder, closed at the end."""
    configure_logs(logging.WARNING)
    embedded = open_embedded(data, create=create)
    try:
        yield embedded
    finally:
        embedded.close()


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Rows under headings, or a sentence where there are none."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        print(empty)
        return
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console = Console()
    console.print(table, width=None if console.is_terminal else 200)


def moment(text: str) -> int:
    """Milliseconds since 1970, from ISO 8601 (UTC unless it says) or seconds since 1970. Raises Rejected."""
    try:
        return _milliseconds(Decimal(text))
    except InvalidOperation:
        pass
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        sentence = f'"{text}" is not a time: give ISO 8601 (2026-01-31T12:00:00Z) or seconds since 1970'
        raise Rejected([Fault("time", sentence)]) from None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


def _milliseconds(seconds: Decimal) -> int:
    if seconds.is_finite() and 0 <= seconds < _MILLISECONDS_FROM:
        return int(seconds * 1000)
    hint = " (that looks like milliseconds)" if seconds.is_finite() and seconds > 0 else ""
    sentence = f"{seconds} is not a number of seconds since 1970{hint}"
    raise Rejected([Fault("time", sentence)])


def day(text: str) -> date:
    """A UTC day written as YYYY-MM-DD. Raises Rejected."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1970 <= found.year < 9999:
        raise Rejected([Fault("date", f'"{text}" is not a day since 1970: write it as YYYY-MM-DD')])
    return found


def unknown_transaction(transaction_id: str) -> Rejected:
    """What to say of an id that was never accepted."""
    return Rejected([Fault("transaction_id", f'no transaction "{transaction_id}" was accepted here')])
