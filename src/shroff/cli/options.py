"""Options that commands share, and how they read times and print answers."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shroff.core.errors import Fault, Rejected
from shroff.runtimes.logs import configure_logs
from shroff.runtimes.opened import Opened
from shroff.runtimes.wiring.command import open_folder, open_stack

if TYPE_CHECKING:
    from shroff.runtimes.wiring.embedded import Embedded

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Answer as JSON, for programs.")]
MOST_TRIES = 200
"""Settings that a search may try."""

_MILLISECONDS_FROM = 10**11


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an installation is: in a data folder of this machine, or on AWS."""

    data: Annotated[
        Path, Parameter(name="--data", env_var="SHROFF_DATA", help="Folder of queue, store and reports.")
    ] = Path("var/data")
    runtime: Annotated[
        Literal["embedded", "aws"],
        Parameter(name="--runtime", env_var="SHROFF_RUNTIME", help="Whether it is a folder or a stack."),
    ] = "embedded"
    suffix: Annotated[
        str | None, Parameter(name="--suffix", env_var="SHROFF_SUFFIX", help="Of the stack on AWS.")
    ] = None


HERE = Place()


@contextmanager
def opened(place: Place, *, create: bool = False) -> Iterator[Opened]:
    """What is there already, closed at the end; a stack is never made here."""
    configure_logs(logging.WARNING)
    with open_folder(folder(place), create=create) if place.runtime == "embedded" else _stack(place) as found:
        yield found


@contextmanager
def opened_folder(place: Place, instead: str, *, create: bool = False) -> Iterator[Embedded]:
    """A data folder, for commands that there are no others for."""
    from shroff.runtimes.wiring.embedded import open_embedded

    configure_logs(logging.WARNING)
    embedded = open_embedded(folder(place, instead), create=create)
    try:
        yield embedded
    finally:
        embedded.close()


def folder(place: Place, instead: str = "") -> Path:
    """The data folder, where a command works in nothing else; `instead` says what to do on AWS."""
    if place.runtime == "aws":
        raise Rejected([Fault("runtime", f"this command is for a data folder; {instead}")])
    if place.suffix is not None:
        sentence = f'"{place.suffix}" is the suffix of a stack: say --runtime aws too, or leave --suffix out'
        raise Rejected([Fault("suffix", sentence)])
    return place.data


def _stack(place: Place) -> AbstractContextManager[Opened]:
    if place.suffix is None:
        raise Rejected([Fault("suffix", "say which stack: --suffix S, or SHROFF_SUFFIX in the environment")])
    return open_stack(place.suffix, lambda said: print(f"shroff: {said}", file=sys.stderr))


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
