"""`shroff model`: the registry of models, and which of them decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from shroff.cli.options import HERE, Json, Place, opened, print_json, print_table
from shroff.codec import instant
from shroff.core.errors import Fault, Rejected
from shroff.core.policy import OUTCOMES
from shroff.runtimes.wiring import wall_clock

app = App(name="model", help="The registry of models: which decides, which are compared with it.")

_DAY = 86_400_000


@app.command(name="import")
def import_(file: Path, /, *, place: Place = HERE) -> None:
    """Add a trained model to the registry; it scores nothing before it is promoted."""
    from shroff.flows.models import register

    try:
        document = file.read_bytes()
    except OSError as error:
        raise Rejected([Fault("file", f"cannot read {file}: {error.strerror}")]) from None
    with opened(place, create=True) as there:
        made = register(there.models, document, wall_clock())
    print(f"model {made.version} ({made.name}) is in the registry")


@app.command(name="list")
def list_(*, place: Place = HERE, json: Json = False) -> None:
    """Show every model, oldest first: which decides, which scores in shadow, which is retired."""
    from shroff.flows.models import roles

    with opened(place) as there:
        registered, now = there.models.all(), roles(there.policies)
    found = [
        {
            "version": each.version,
            "name": each.name,
            "role": now.get(each.version, "retired" if each.retired_at is not None else None),
            "added_at": instant(each.added_at),
        }
        for each in registered
    ]
    if json:
        print_json(found)
        return
    rows = [(each["version"], each["name"], each["added_at"], each["role"] or "") for each in found]
    print_table(("version", "name", "added", "role"), rows, "No model was imported.")


@app.command
def show(
    version: str,
    /,
    *,
    days: Annotated[int, Parameter(help="How many days of decisions to compare over.")] = 7,
    place: Place = HERE,
    json: Json = False,
) -> None:
    """Show a model, and how it scored beside the champion in the last days."""
    from shroff.flows.compare import compare
    from shroff.flows.models import KnownModels, named, roles
    from shroff.flows.report.content import reader
    from shroff.flows.report.ripen import Ripe
    from shroff.flows.report.sections import labelled

    if not 0 < days <= 400:
        raise Rejected([Fault("days", f"--days {days} must be a number of days from 1 to 400")])
    with opened(place) as there:
        found = named(there.models, version)
        model = KnownModels(there.models)(found.version)
        role = roles(there.policies).get(found.version, "retired" if found.retired_at is not None else None)
        end = min(wall_clock(), (there.ledger.newest() or 0)) + 1
        policy_of = reader(there.policies)
        compared = compare(found.version, policy_of, there.ledger, end - days * _DAY, end)
        ripe = None
        if compared and there.label_days is not None:
            ripe = Ripe(ledger=there.ledger, labels=there.labels, days=there.label_days)
        judged = None if ripe is None else ripe.before(end, policy_of)
    members: dict[str, Any] = {
        "version": found.version,
        "name": found.name,
        "role": role,
        "added_at": instant(found.added_at),
        "features": list(model.features),
        "thresholds": dict(model.thresholds),
        "trained": dict(model.trained),
        "compared": [
            {
                **each.members(),
                "differences": each.differences(),
                "labelled": None if judged is None else labelled(each, judged),
            }
            for each in compared
        ],
    }
    if json:
        print_json(members)
    else:
        _print(members)


def _print(members: dict[str, Any]) -> None:
    print(f"{members['version']}  {members['name']}  {members['role'] or 'decides nothing'}")
    print(f"added {members['added_at']}, {len(members['features'])} features:")
    print("  " + ", ".join(members["features"]))
    if "meaning" in members["trained"]:
        print(f"its score is {members['trained']['meaning']}")
    rows = [
        (each["champion"], each["transactions"], _share(each["agreement"]), each["mean_score"],
         each["champion_mean_score"], each["alerted"], each["champion_alerted"])
        for each in members["compared"]
    ]  # fmt: skip
    headings = (
        "beside champion", "transactions", "agreement", "mean score", "champion's", "stopped", "champion's"
    )  # fmt: skip
    print_table(headings, rows, "It scored nothing in these days.")
    for each in members["compared"]:
        for line in _beside(each):
            print(line)


def _beside(compared: dict[str, Any]) -> Iterator[str]:
    """Where a model differs from a champion, and which of the two ranked better what is known by now."""
    apart = [f"{d['transactions']} {d['model']}, not {d['champion']}" for d in compared["differences"]]
    if apart:
        yield f"unlike {compared['champion']}: " + "; ".join(apart)
    known = compared["labelled"]
    if known is None or known["average_precision"] is None:
        return
    yield f"over {known['frauds']} frauds and {known['legitimate']} others, {known['from']} to {known['to']}:"
    for name, its in known["champion"].items():
        if its is not None and known[name] is not None:
            yield f"  {name.replace('_', ' ')} {known[name]:.3f}, champion's {its:.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f} %"


@app.command
def promote(
    version: str,
    /,
    *,
    shadow: Annotated[
        bool, Parameter(negative=(), help="Let it score beside the champion, without effect.")
    ] = False,
    place: Place = HERE,
) -> None:
    """Let a model decide, by publishing the policy in force with it; `shroff policy rollback` undoes that."""
    from shroff.cli.policy import put_in_force
    from shroff.flows.models import KnownModels, named, promoted

    with opened(place) as there:
        chosen = named(there.models, version)
        proposed = KnownModels(there.models)(chosen.version).thresholds
        document = promoted(there.policies, chosen, shadow=shadow, thresholds=proposed)
        policy, publication = put_in_force(there, document)
    what = "scores in shadow" if shadow else "decides"
    at = instant(publication.published_at)
    print(f"model {chosen.version} {what} by policy {policy.version}, published at {at}")
    own = {} if policy.model is None else {OUTCOMES[at]: it for at, it in policy.model.thresholds.items()}
    if proposed and not shadow and own != proposed:
        print(f"the policy keeps its thresholds, {_listed(own)}; the model proposes {_listed(proposed)}")


def _listed(thresholds: Mapping[str, float]) -> str:
    return ", ".join(f"{outcome} {score}" for outcome, score in thresholds.items())


@app.command
def retire(version: str, /, *, place: Place = HERE) -> None:
    """Take a model out of use, unless it decides; it is kept, since decisions were made by it."""
    from shroff.cli.policy import put_in_force
    from shroff.flows.models import named, without

    with opened(place) as there:
        chosen = named(there.models, version)
        document = without(there.policies, chosen.version)
        if document is not None:
            put_in_force(there, document)
        retired = there.models.retire(chosen.version, wall_clock())
    print(f"model {chosen.version} is retired" + ("" if retired else " already"))
