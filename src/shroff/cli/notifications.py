"""`shroff notifications`: alerts that could not be delivered."""

from __future__ import annotations

from cyclopts import App

from shroff.cli.options import DEFAULT_DATA, Data, Json, opened, print_json, print_table
from shroff.codec import instant
from shroff.runtimes.wiring import wall_clock

app = App(name="notifications", help="List and redrive notifications that were given up.")


@app.command(name="list")
def list_(*, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List undelivered notifications with their last cause."""
    with opened(data) as embedded:
        dead = embedded.store.deliveries.dead()
    rows = [
        (channel, alert.alert_id, len(failures), instant(failures[-1].at), failures[-1].cause)
        for channel, alert, failures in dead
    ]
    headings = ("channel", "alert_id", "attempts", "last_at", "cause")
    if json:
        print_json([dict(zip(headings, row, strict=True)) for row in rows])
    else:
        print_table(headings, rows, "Every notification was delivered or is on its way.")


@app.command
def redrive(*, data: Data = DEFAULT_DATA) -> None:
    """Try every given-up notification again from a first attempt."""
    with opened(data) as embedded:
        deliveries = embedded.store.deliveries
        dead = deliveries.dead()
        count = sum(deliveries.redrive(channel, [alert.alert_id], wall_clock()) for channel, alert, _ in dead)
    print(f"{count} to be tried again")
