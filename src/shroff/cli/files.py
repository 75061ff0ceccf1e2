"""`shroff import | simulate`: files in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shroff.cli.options import HERE, Json, Place, opened_folder, print_json
from shroff.core.errors import Fault, Rejected


def import_(
    file: Path,
    /,
    *,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", negative=(), help="member=COLUMN, for columns with other names; repeatable."),
    ] = None,
    place: Place = HERE,
    json: Json = False,
) -> int:
    """Import CSV, NDJSON or Parquet by the same ingest and detect as live traffic; resumes where it stopped.

    Bad rows are kept in a rejects file with their line and all that is wrong with them.
    """
    from shroff.cli.progress import tracked
    from shroff.flows.load import Loaded, mapping_of
    from shroff.runtimes.embedded.importing import import_rows
    from shroff.runtimes.wiring.embedded import import_bookmark, open_rows

    mapping = mapping_of(map_ or [])
    rows = open_rows(file, mapping)
    loaded = Loaded()
    with opened_folder(place, "post the rows to the stack's /transactions/batch", create=True) as embedded:
        bookmark = import_bookmark(embedded.data, file, mapping)
        with tracked(file.name, rows.total, rows.unit) as show:
            for loaded in import_rows(rows, file, mapping, embedded):
                show(loaded.consumed, loaded.rows)
    refused, kept = loaded.rejected + loaded.conflicts, bookmark.rejects.exists()
    if json:
        print_json({
            "accepted": loaded.accepted, "repeated": loaded.repeated, "conflicts": loaded.conflicts,
            "rejected": loaded.rejected, "rejects": str(bookmark.rejects) if kept else None,
        })  # fmt: skip
    else:
        print(
            f"{loaded.accepted} accepted and decided, {loaded.repeated} were here before, {refused} refused"
        )
    if refused:
        print(f"shroff: {refused} bad rows are in {bookmark.rejects}", file=sys.stderr)
    elif kept:
        print(f"shroff: bad rows of an earlier run are in {bookmark.rejects}", file=sys.stderr)
    return 0


def simulate(
    *,
    out: Annotated[Path, Parameter(help="File to write: .ndjson, .csv or .parquet.")],
    days: int = 30,
    customers: int = 2000,
    seed: int = 7,
    start: Annotated[str | None, Parameter(help="First day, YYYY-MM-DD.")] = None,
    fraud_rate: Annotated[
        float | None, Parameter(help="Share of transactions that are planted fraud.")
    ] = None,
) -> None:
    """Write simulated, labelled transactions; the same arguments give the same bytes."""
    from shroff.cli.options import moment
    from shroff.cli.progress import tracked
    from shroff.runtimes.wiring.embedded import write_simulated
    from shroff.simulator import DEFAULT_FRAUD_RATE, DEFAULT_START, simulate_days

    try:
        simulated = simulate_days(
            days=days,
            customers=customers,
            seed=seed,
            start=DEFAULT_START if start is None else moment(start),
            fraud_rate=DEFAULT_FRAUD_RATE if fraud_rate is None else fraud_rate,
        )
    except (ValueError, OverflowError) as error:
        raise Rejected([Fault("simulate", str(error))]) from None
    with tracked(out.name, days, "days") as show:
        written = write_simulated(out, simulated, show)
    print(f"{written} transactions written to {out}")
