"""`shroff labels`: what transactions turned out to be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.features import milliseconds
from shroff.runtimes.wiring import wall_clock

_SHOWN = 20

app = App(name="labels", help="What transactions turned out to be: fraud or legitimate.")


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", negative=(), help="member=COLUMN, for columns with other names; repeatable."),
    ] = None,
    source: Annotated[
        Literal["chargeback", "analyst", "customer"], Parameter(help="Of rows that name none.")
    ] = "chargeback",
    delay: Annotated[
        str | None,
        Parameter(help="known_at of rows without one, such as 7d after their timestamp; now unless given."),
    ] = None,
    place: Place = HERE,
    json: Json = False,
) -> int:
    """Import labels from CSV, NDJSON or Parquet; doing it again changes nothing."""
    from shroff.cli.progress import tracked
    from shroff.flows.label import Imported, import_labels
    from shroff.flows.load import mapping_of
    from shroff.runtimes.wiring.embedded import open_labels

    try:
        after = None if delay is None else milliseconds(delay)
    except ValueError as error:
        raise Rejected([Fault("delay", str(error))]) from None
    rows, done = open_labels(file, mapping_of(map_ or [])), Imported()
    with opened(place, create=True) as there, tracked(file.name, rows.total, rows.unit) as show:
        for done in import_labels(rows, there.labels, source=source, delay=after, now=wall_clock()):
            show(done.consumed, done.rows)
    if json:
        counts = {"accepted": done.accepted, "repeated": done.repeated, "rejected": len(done.rejected)}
        print_json(counts)
    else:
        print(f"{done.accepted} labels accepted, {done.repeated} were here before")
    for problem in done.rejected[:_SHOWN]:
        print(f"shroff: {file}, {problem}", file=sys.stderr)
    if done.rejected:
        print(f"shroff: {len(done.rejected)} rows were left out", file=sys.stderr)
    return 1 if done.rejected else 0


@app.command(name="list")
def list_(
    *transaction_ids: str,
    limit: Annotated[int, Parameter(help="The most labels that are shown.")] = 100,
    after: Annotated[int, Parameter(help="Go on after the label of this number.")] = 0,
    place: Place = HERE,
    json: Json = False,
) -> None:
    """List labels in the order in which they came: all, or every one of some transactions."""
    with opened(place) as there:
        labels = there.labels.of(transaction_ids) if transaction_ids else there.labels.after(after, limit)
    rows = [
        {
            "number": each.number, "transaction_id": each.transaction_id,
            "label": "fraud" if each.fraud else "legitimate", "source": each.source,
            "known_at": instant(each.known_at), "received_at": instant(each.received_at),
        }
        for each in labels
    ]  # fmt: skip
    if json:
        print_json(rows)
        return
    headings = ("number", "transaction", "label", "source", "known at", "received at")
    print_table(headings, [tuple(each.values()) for each in rows], "No labels.")
