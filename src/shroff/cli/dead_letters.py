"""`shroff dead-letters`: what could not be processed, until a person decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import encode_transaction, instant, pretty
from shroff.core.errors import Fault, Rejected
from shroff.flows.dead_letters import letter_members, mend
from shroff.runtimes.wiring import wall_clock

app = App(
    name="dead-letters", help="List, show, edit, redrive and discard messages that could not be processed."
)

All = Annotated[bool, Parameter(name="--all", negative=(), help="All of them that are not discarded.")]


@app.command(name="list")
def list_(*, place: Place = HERE, json: Json = False) -> None:
    """List dead letters, oldest first."""
    with opened(place) as there:
        letters = [letter_members(each) for each in there.dead_letters.all()]
    if json:
        print_json(letters)
        return
    rows = [
        (
            each["transaction_id"],
            each["state"],
            len(each["failures"]),
            each["died_at"],
            each["failures"][-1]["cause"],
        )
        for each in letters
    ]
    print_table(("transaction", "state", "attempts", "died", "cause"), rows, "No dead letters.")


@app.command
def show(transaction_id: str, /, *, place: Place = HERE, json: Json = False) -> None:
    """Show a dead letter with every attempt at it."""
    with opened(place) as there:
        letter = there.dead_letters.get(transaction_id)
    if letter is None:
        raise _none(transaction_id)
    if json:
        print_json(letter_members(letter))
    else:
        print(pretty(letter_members(letter)))


@app.command
def edit(
    transaction_id: str,
    /,
    *,
    file: Annotated[
        Path, Parameter(help="The transaction as a client would post it, with the same transaction_id.")
    ],
    place: Place = HERE,
) -> None:
    """Replace a dead letter's content with that of a file; redrive it then."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Rejected([Fault("file", f"cannot read {file}: {error.strerror}")]) from None
    with opened(place) as there:
        transaction = mend(transaction_id, content, there.currency)
        if not there.dead_letters.edit(transaction_id, encode_transaction(transaction)):
            raise _none(transaction_id)
    print(f"{transaction_id} edited; `shroff dead-letters redrive {transaction_id}` hands it over again")


@app.command
def redrive(*transaction_ids: str, all_: All = False, place: Place = HERE) -> None:
    """Hand dead letters over again from a first attempt; a second redrive does nothing."""
    with opened(place) as there:
        letters = there.dead_letters
        ids = _chosen(
            transaction_ids, [each.message.transaction_id for each in letters.all()] if all_ else None
        )
        print(f"{letters.redrive(ids, wall_clock())} handed over again at {instant(wall_clock())}")


@app.command
def discard(*transaction_ids: str, all_: All = False, place: Place = HERE) -> None:
    """Give dead letters up for good; they stay on record and in the audit."""
    with opened(place) as there:
        letters = there.dead_letters
        ids = _chosen(
            transaction_ids, [each.message.transaction_id for each in letters.all()] if all_ else None
        )
        print(f"{letters.discard(ids)} discarded")


def _chosen(named: tuple[str, ...], every: list[str] | None) -> list[str]:
    if every is None and not named:
        raise Rejected([Fault("transaction_ids", "name the transactions, or say --all")])
    return list(named) if every is None else every


def _none(transaction_id: str) -> Rejected:
    return Rejected(
        [Fault("transaction_id", f'no dead letter "{transaction_id}"; `shroff dead-letters list` shows them')]
    )
