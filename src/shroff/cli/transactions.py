"""`shroff transactions`: a transaction and its decision."""

from __future__ import annotations

from cyclopts import App

from shroff.cli.options import HERE, Json, Place, opened, print_json, unknown_transaction
from shroff.codec import pretty
from shroff.flows.lookup import SnapshotNames, lookup

app = App(name="transactions", help="Look at transactions and their decisions.")


@app.command
def show(transaction_id: str, /, *, place: Place = HERE, json: Json = False) -> None:
    """Show a transaction, where it is, and its decision once there is one."""
    with opened(place) as there:
        found = lookup(
            transaction_id, there.queue, there.ledger, there.dead_letters, SnapshotNames(there.policies)
        )
    if found is None:
        raise unknown_transaction(transaction_id)
    if json:
        print_json(found)
    else:
        print(pretty(found))
