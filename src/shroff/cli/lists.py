"""`shroff lists`: allowlists and blocklists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.features import milliseconds
from shroff.runtimes.wiring import wall_clock

app = App(name="lists", help="Allowlists and blocklists that the policy's rules ask.")


@app.command
def add(
    name: str,
    *values: str,
    file: Annotated[Path | None, Parameter(help="One value a line, or CSV with value,expires.")] = None,
    expires_in: Annotated[
        str | None, Parameter(help="How long they count, such as 12h or 30d; for ever unless given.")
    ] = None,
    place: Place = HERE,
) -> int:
    """Put values on a list, from the command line or a file; a value put again takes the new expiry."""
    from shroff.runtimes.wiring.embedded import read_list

    now, bad = wall_clock(), list[str]()
    if not values and file is None:
        raise Rejected([Fault("values", "name the values to add, or a --file with one a line")])
    try:
        expires_at = None if expires_in is None else now + milliseconds(expires_in)
    except ValueError as error:
        raise Rejected([Fault("expires_in", str(error))]) from None
    with opened(place, create=True) as there:
        added = there.lists.add(name, ((value, expires_at) for value in values)) if values else 0
        if file is not None:
            entries = read_list(
                file, now=now, bad=lambda line, problem: bad.append(f"{file}, line {line}: {problem}")
            )
            dated = ((value, expires_at if expires is None else expires) for value, expires in entries)
            added += there.lists.add(name, dated)
    print(f"{added} put on {name}")
    for problem in bad[:20]:
        print(f"shroff: {problem}", file=sys.stderr)
    if bad:
        print(f"shroff: {len(bad)} lines were left out", file=sys.stderr)
    return 1 if bad else 0


@app.command
def remove(name: str, *values: str, place: Place = HERE) -> None:
    """Take values off a list."""
    with opened(place) as there:
        print(f"{there.lists.remove(name, values)} taken off {name}")


@app.command
def show(name: str | None = None, /, *, place: Place = HERE, json: Json = False) -> None:
    """Show how many values each list has, or the values of one."""
    with opened(place) as there:
        if name is None:
            counts = there.lists.counts()
            if json:
                print_json(counts)
            else:
                print_table(("list", "values"), sorted(counts.items()), "No list has a value.")
            return
        for value, expires_at in there.lists.entries(name):
            expires = None if expires_at is None else instant(expires_at)
            if json:
                print_json({"value": value, "expires_at": expires})
            else:
                print(value if expires is None else f"{value}  until {expires}")
