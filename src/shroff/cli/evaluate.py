"""`shroff evaluate`: what features, rules and a model of them are worth on labelled history."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shroff.cli.options import MOST_TRIES, Json, day, print_json, print_table

if TYPE_CHECKING:
    from shroff.flows.evaluate import History

_END = 253_402_300_800_000
"""The beginning of the year 10000, in ms."""


def evaluate(
    file: Path,
    /,
    *,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", negative=(), help="member=COLUMN, and label=COLUMN; repeatable."),
    ] = None,
    policy: Annotated[Path | None, Parameter(help="Whose features and rules; else the default's.")] = None,
    protocol: Annotated[
        Literal["prequential", "holdout"], Parameter(help="Fold after fold, or one split.")
    ] = "prequential",
    start: Annotated[
        str | None, Parameter(help="First training day of the first fold, YYYY-MM-DD; prequential needs it.")
    ] = None,
    test_share: Annotated[float, Parameter(help="Share that is tested; holdout.")] = 0.2,
    random_state: Annotated[
        int | None, Parameter(help="Split at random by this seed, not by time; holdout.")
    ] = None,
    train_days: Annotated[int, Parameter(help="Days of a training window.")] = 7,
    delay_days: Annotated[int, Parameter(help="Days until a label is known.")] = 7,
    test_days: Annotated[int, Parameter(help="Days of a test, and from fold to fold.")] = 7,
    folds: Annotated[int, Parameter(help="How many rounds.")] = 4,
    history_from: Annotated[
        str | None, Parameter(help="Day from which earlier data serve features and training.")
    ] = None,
    train_window_only: Annotated[
        bool, Parameter(negative=(), help="Let earlier data serve features alone.")
    ] = False,
    rules_alone: Annotated[bool, Parameter(negative=(), help="Score by the rules, without a model.")] = False,
    by: Annotated[
        str | None,
        Parameter(help="Entity that is counted and looked at, the policy's main one unless given."),
    ] = None,
    review_capacity: Annotated[int, Parameter(help="Cards that are looked at each day.")] = 0,
    review_delay_days: Annotated[int, Parameter(help="Days until these have their labels.")] = 1,
    search: Annotated[int, Parameter(help="How many settings to try, 0 takes the defaults; holdout.")] = 8,
    seed: Annotated[int, Parameter(help="The same gives the same models.")] = 7,
    json: Json = False,
) -> None:
    """Train and test, each label known only after its delay, and say what it is worth."""
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.errors import Fault, Rejected
    from shroff.core.policy_document import read_policy
    from shroff.flows.evaluate import Holdout, Protocol, hold_out, label_of
    from shroff.flows.evaluate import evaluate as run
    from shroff.flows.load import mapping_of
    from shroff.runtimes.wiring import default_policy
    from shroff.runtimes.wiring.training import trainer, tuner

    mapping = mapping_of(map_ or [])
    label_of(mapping)
    if protocol == "holdout":
        if rules_alone:
            raise Rejected([Fault("rules_alone", "--rules-alone is of the prequential protocol")])
        if not 0 <= search <= MOST_TRIES:
            raise Rejected([Fault("search", f"--search must be from 0 to {MOST_TRIES}")])
        split = Holdout(test_share=test_share, delay_days=delay_days, random_state=random_state).check()
        read = read_policy(default_policy() if policy is None else document_of(policy))
        history = _read(file, mapping, read.base_currency, 0, _END)
        tune = tuner(seed, search)
        _tell(hold_out(history, read, split, train=trainer(seed), track=tracked, tune=tune), json)
        return
    if start is None:
        raise Rejected([Fault("start", "say where the first training window begins: --start YYYY-MM-DD")])
    plan = Protocol(
        start=_midnight(start),
        train_days=train_days,
        delay_days=delay_days,
        test_days=test_days,
        folds=folds,
        history_from=None if history_from is None else _midnight(history_from),
        train_on_history=not train_window_only,
        by=by,
        review_capacity=review_capacity,
        review_delay_days=review_delay_days,
    ).check()
    read = read_policy(default_policy() if policy is None else document_of(policy))
    history = _read(file, mapping, read.base_currency, plan.since, plan.until)
    with tracked("evaluate", plan.days, "days") as show:
        found = run(history, read, plan, train=None if rules_alone else trainer(seed), show=show)
    _tell(found, json)


def _read(file: Path, mapping: Mapping[str, str], currency: str, since: int, until: int) -> History:
    """The labelled rows of a file, and a word about those that cannot be read."""
    from shroff.cli.progress import tracked
    from shroff.flows.evaluate import read_history
    from shroff.runtimes.wiring.embedded import open_rows

    rows = open_rows(file, mapping)
    with tracked(file.name, rows.total, rows.unit) as show:
        history = read_history(rows, currency=currency, since=since, until=until, show=show)
    if history.rejected:
        print(f"shroff: {history.rejected} rows cannot be read and are left out", file=sys.stderr)
    return history


def _tell(found: Mapping[str, Any], json: bool) -> None:
    if json:
        print_json(found)
    else:
        _print(found)


def _midnight(text: str) -> int:
    """The beginning of a UTC day in ms. Raises Rejected."""
    return int(datetime.combine(day(text), time(), UTC).timestamp() * 1000)


def _print(found: Mapping[str, Any]) -> None:
    """A line a measure: each fold, then the mean."""
    folds = found["folds"]
    rows = [
        (name.replace("_", " "), *(_shown(fold[name]) for fold in folds), _shown(mean))
        for name, mean in found["mean"].items()
    ]
    print_table(("", *(fold["test_from"][:10] for fold in folds), "mean"), rows, "Nothing was tested.")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
