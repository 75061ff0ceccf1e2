"""`shroff keys`: who may use the gateway."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from shroff.cli.options import HERE, Json, Place, opened_folder, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.flows.keys import SCOPES, new_key
from shroff.runtimes.wiring import wall_clock

_ON_AWS = "on AWS API Gateway keeps the keys: see docs/aws.md"

app = App(name="keys", help="Create, list and revoke the gateway's API keys.")


@app.command
def create(
    name: str,
    /,
    *,
    scope: Annotated[
        list[str] | None, Parameter(help=f"One of {', '.join(SCOPES)}; all unless given.")
    ] = None,
    rate: Annotated[float | None, Parameter(help="Requests a second; unlimited unless given.")] = None,
    place: Place = HERE,
    json: Json = False,
) -> None:
    """Make a key and print it: this once, only its hash is kept."""
    with opened_folder(place, _ON_AWS, create=True) as embedded:
        secret, key = new_key(name, scope or SCOPES, rate, wall_clock())
        embedded.store.keys.add(key)
    if json:
        print_json({"key_id": key.key_id, "key": secret})
    else:
        print(secret)


@app.command(name="list")
def list_(*, place: Place = HERE) -> None:
    """List keys without their secrets."""
    with opened_folder(place, _ON_AWS) as embedded:
        keys = embedded.store.keys.all()
    rows = [
        (
            each.key_id, each.name, "revoked" if each.revoked else "", each.rate or "unlimited",
            instant(each.created_at), ", ".join(sorted(each.scopes)),
        )
        for each in keys
    ]  # fmt: skip
    print_table(("id", "name", "", "rate", "created", "scopes"), rows, "No keys.")


@app.command
def revoke(key_id: str, /, *, place: Place = HERE) -> None:
    """Revoke a key; the gateway refuses it within a second or two."""
    with opened_folder(place, _ON_AWS) as embedded:
        if not embedded.store.keys.revoke(key_id):
            raise Rejected([Fault("key_id", f'no key "{key_id}"; `shroff keys list` shows them')])
    print(f"{key_id} revoked")
