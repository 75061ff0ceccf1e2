"""`shroff notifications`: alerts that could not be delivered."""

from __future__ import annotations

from cyclopts import App

from shroff.cli.options import HERE, Json, Place, opened_folder, print_json, print_table
from shroff.codec import instant
from shroff.runtimes.wiring import wall_clock

_ON_AWS = "on AWS the alerts topic delivers: see docs/aws.md"

app = App(name="notifications", help="List and redrive notifications that were given up.")


@app.command(name="list")
def list_(*, place: Place = HERE, json: Json = False) -> None:
    """List undelivered notifications with their last cause."""
    with opened_folder(place, _ON_AWS) as embedded:
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
def redrive(*, place: Place = HERE) -> None:
    """Try every given-up notification again from a first attempt."""
    with opened_folder(place, _ON_AWS) as embedded:
        deliveries = embedded.store.deliveries
        dead = deliveries.dead()
        count = sum(deliveries.redrive(channel, [alert.alert_id], wall_clock()) for channel, alert, _ in dead)
    print(f"{count} to be tried again")
