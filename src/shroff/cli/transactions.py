"""`shroff transactions`: a transaction and its decision."""

from __future__ import annotations

from cyclopts import App

from shroff.cli.options import DEFAULT_DATA, Data, Json, opened, print_json, unknown_transaction
from shroff.codec import pretty
from shroff.flows.lookup import SnapshotNames, lookup

app = App(name="transactions", help="Look at transactions and their decisions.")


@app.command
def show(transaction_id: str, /, *, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show a transaction, where it is, and its decision once there is one."""
    with opened(data) as embedded:
        store = embedded.store
        found = lookup(
            transaction_id, embedded.queue, store.ledger, store.dead_letters, SnapshotNames(store.policies)
        )
    if found is None:
        raise unknown_transaction(transaction_id)
    if json:
        print_json(found)
    else:
        print(pretty(found))
