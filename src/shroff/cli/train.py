"""`shroff train`: from labelled history to a model that the registry takes, and its card."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shroff.cli.options import MOST_TRIES, Json, Place, opened, print_json, print_table
from shroff.core.errors import Fault, Rejected
from shroff.core.policy import Policy

if TYPE_CHECKING:
    from shroff.flows.evaluate import History
    from shroff.flows.train import Ask, KnownAt


def train(
    file: Path | None = None,
    /,
    *,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", negative=(), help="member=COLUMN, and label=COLUMN; repeatable."),
    ] = None,
    data: Annotated[
        Path | None, Parameter(help="Data folder whose stored transactions and labels to train on instead.")
    ] = None,
    mature_days: Annotated[
        int | None, Parameter(help="With --data: days after which what has no label counts as legitimate.")
    ] = None,
    policy: Annotated[
        Path | None, Parameter(help="Whose features; else that in force there, or the default's.")
    ] = None,
    delay_days: Annotated[int, Parameter(help="Days until a label is known.")] = 7,
    validation_days: Annotated[int, Parameter(help="Newest days that training does not see.")] = 14,
    review_cost: Annotated[
        float | None, Parameter(help="Of looking at one transaction, in the base currency.")
    ] = None,
    friction_cost: Annotated[
        float | None, Parameter(help="Of declining a legitimate one: chooses thresholds that cost least.")
    ] = None,
    fraud_value: Annotated[
        str, Parameter(help="What a fraud let through costs: its `amount`, or a number.")
    ] = "amount",
    review_capacity: Annotated[
        int | None, Parameter(help="Cards a day that can be looked at: no threshold lets more through.")
    ] = None,
    search: Annotated[int, Parameter(help="How many settings to try; 0 takes the defaults.")] = 8,
    name: Annotated[str, Parameter(help="The model's name, for people.")] = "model",
    model_dir: Annotated[Path, Parameter(help="Folder for the model's document and card.")] = Path("models"),
    seed: Annotated[int, Parameter(help="The same gives the same model.")] = 7,
    unsupervised: Annotated[
        bool, Parameter(negative=(), help="Without labels: score what is unusual, from the first day on.")
    ] = False,
    json: Json = False,
) -> None:
    """Train a model on labelled history, each label known only after its delay; write it and its card."""
    if unsupervised:
        from shroff.cli.unsupervised import train_without_labels

        if any(each is not None for each in (mature_days, review_cost, friction_cost, review_capacity)):
            raise Rejected([Fault("unsupervised", "--unsupervised has no labels for costs or capacity")])
        train_without_labels(file, map_ or [], data, policy, name, model_dir, seed, json=json)
        return
    from shroff.cli.progress import tracked
    from shroff.core.model_document import model_document
    from shroff.core.thresholds import Costs
    from shroff.flows.card import as_json, as_page
    from shroff.flows.train import Ask, Split
    from shroff.flows.train import train as run
    from shroff.runtimes.wiring.training import maker

    if not 0 <= search <= MOST_TRIES:
        raise Rejected([Fault("search", f"--search must be from 0 to {MOST_TRIES}")])
    if (review_cost is None) != (friction_cost is None):
        raise Rejected([Fault("costs", "--review-cost and --friction-cost go together")])
    ask = Ask(
        # Before that frauds alone would be known.
        split=Split(delay_days=max(delay_days, mature_days or 0), validation_days=validation_days),
        costs=(
            None
            if review_cost is None or friction_cost is None
            else Costs(review=review_cost, friction=friction_cost)
        ),
        fraud_value=_value(fraud_value),
        review_capacity=review_capacity,
        seed=seed,
    ).check()
    read, history, known_at = _history(file, map_, data, mature_days, policy)
    made = run(
        history, read, ask, make=maker(name, seed, search), track=tracked, known_at=known_at
    )  # fmt: skip
    model = made.model
    stem = f"{name}-{model.version}"
    place = write(model_dir, f"{stem}.json", model_document(model))
    write(model_dir, f"{stem}.card.json", as_json(made.card))
    page = write(model_dir, f"{stem}.card.html", as_page(made.card))
    if json:
        print_json({"version": model.version, "file": str(place), "card": str(page), **model.trained})
        return
    _print(made.card, ask)
    print(f"model {model.version} is in {place}; shroff model import {place} registers it")
    print(f"its card is {page}")


def _value(text: str) -> float | None:
    """None for the amount. Raises Rejected."""
    if text == "amount":
        return None
    try:
        return float(text)
    except ValueError:
        raise Rejected([Fault("fraud_value", f'--fraud-value "{text}" must be amount or a number')]) from None


def _history(
    file: Path | None, map_: list[str] | None, data: Path | None, mature: int | None, policy: Path | None
) -> tuple[Policy, History, KnownAt | None]:
    """The history to train on, with the policy whose features are measured. Raises Rejected."""
    if data is not None:
        if file is not None:
            raise Rejected([Fault("file", "train on a FILE or on --data DIR, not on both")])
        if map_:
            raise Rejected([Fault("map", "--map is for the columns of a FILE")])
        if mature is not None and not 0 <= mature <= 4_000:
            raise Rejected([Fault("mature_days", f"--mature-days {mature} must be from 0 to 4000")])
        return _stored(data, mature, policy)
    if file is None:
        raise Rejected([Fault("file", "say what to train on: a FILE, or --data DIR")])
    if mature is not None:
        raise Rejected([Fault("mature_days", "--mature-days goes with --data; a file has its labels")])
    return (*_from_file(file, map_ or [], policy), None)


def _from_file(file: Path, map_: list[str], policy: Path | None) -> tuple[Policy, History]:
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.policy_document import read_policy
    from shroff.flows.evaluate import label_of, read_history
    from shroff.flows.evaluate.timeline import NEVER
    from shroff.flows.load import mapping_of
    from shroff.runtimes.wiring import default_policy
    from shroff.runtimes.wiring.embedded import open_rows

    mapping = mapping_of(map_)
    label_of(mapping)
    read = read_policy(default_policy() if policy is None else document_of(policy))
    rows = open_rows(file, mapping)
    with tracked(file.name, rows.total, rows.unit) as show:
        history = read_history(rows, currency=read.base_currency, until=NEVER, show=show)
    if history.rejected:
        print(f"shroff: {history.rejected} rows cannot be read and are left out", file=sys.stderr)
    return read, history


def _stored(data: Path, mature: int | None, policy: Path | None) -> tuple[Policy, History, KnownAt]:
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.policy_document import read_policy
    from shroff.flows.train import stored_history
    from shroff.runtimes.wiring import default_policy

    with opened(Place(data=data)) as there:
        active = there.policies.active()
        document = default_policy() if active is None else active.document
        read = read_policy(document if policy is None else document_of(policy))
        with tracked(str(data), there.ledger.totals()["decided"], "rows") as show:
            history, known_at = stored_history(there.ledger, there.labels, mature_days=mature, show=show)
    return read, history, known_at


def _print(card: Mapping[str, Any], ask: Ask) -> None:
    """What it is worth, what to mind, and the thresholds as a policy has them."""
    measures = card["measures"].items()
    rows = [(name.replace("_", " "), each["value"], _interval(each)) for name, each in measures]
    print_table(("measure", "validation", "95 % interval"), rows, "")
    for each in card["warnings"]:
        print(f"mind: {each['sentence']}")
    found = card["thresholds"]
    if found is None:
        return
    if ask.costs is not None:
        print(
            f"on {found['days']:g} validation days these thresholds cost {found['cost']:,.0f} "
            f"{card['policy']['currency']}, nothing stopped {found['cost_without']:,.0f}; for the policy:"
        )
    else:
        print(
            f"on the busiest of {found['days']:g} validation days {found['most_cards_a_day']} cards "
            "lie above; for the policy:"
        )
    print("\n[model.thresholds]")
    for outcome, score in found["scores"].items():
        print(f"{outcome} = {score}")
    print()


def _interval(each: Mapping[str, Any]) -> str:
    return "" if each["low"] is None else f"{each['low']:.4f} to {each['high']:.4f}"


def write(folder: Path, name: str, content: bytes) -> Path:
    """The file in its place, whole or not at all. Raises Rejected."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}"
        draft.write_bytes(content)
        return draft.replace(folder / name)
    except OSError as error:
        sentence = f"cannot write {folder / name}: {error.strerror}"
        raise Rejected([Fault("model_dir", sentence)]) from None
