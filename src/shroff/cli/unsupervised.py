"""`shroff train --unsupervised`: a score of what is unusual, for history that has no labels yet."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shroff.cli.options import Place, opened, print_json, print_table
from shroff.core.errors import Fault, Rejected
from shroff.core.policy import Policy

if TYPE_CHECKING:
    from shroff.flows.evaluate import History


def train_without_labels(
    file: Path | None,
    map_: Sequence[str],
    data: Path | None,
    policy: Path | None,
    name: str,
    model_dir: Path,
    seed: int,
    *,
    json: bool,
) -> None:
    """Write a model of what is usual; a mapped label says what it is worth, and teaches it nothing."""
    from shroff.cli.progress import tracked
    from shroff.cli.train import write
    from shroff.core.model_document import model_document
    from shroff.flows.unsupervised import measure, train_unsupervised, worth

    read, history = _history(file, map_, data, policy)
    measured = measure(history, read, track=tracked)
    model = train_unsupervised(measured, name=name, seed=seed)
    place = write(model_dir, f"{name}-{model.version}.json", model_document(model))
    found = worth(measured, model) if history.labelled.any() else {}
    if json:
        print_json({"version": model.version, "file": str(place), "worth": found, **model.trained})
        return
    many = f"{model.trained['transactions']:,} transactions"
    print(f"usual is what {many} were, in {len(model.features)} features")
    if found:
        _print_worth(found)
    print(f"its score is {model.trained['meaning']}")
    print(f"model {model.version} is in {place}; shroff model import {place} registers it")


def _history(
    file: Path | None, map_: Sequence[str], data: Path | None, policy: Path | None
) -> tuple[Policy, History]:
    """What to train on, with the policy whose features are measured. Raises Rejected."""
    if data is not None:
        if file is not None or map_:
            raise Rejected([Fault("data", "train on a FILE with its --map, or on --data DIR, not on both")])
        return _stored(data, policy)
    if file is None:
        raise Rejected([Fault("file", "say what to train on: a FILE, or --data DIR")])
    return _from_file(file, map_, policy)


def _from_file(file: Path, map_: Sequence[str], policy: Path | None) -> tuple[Policy, History]:
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.policy_document import read_policy
    from shroff.flows.evaluate.history import LABEL, label_of, read_history
    from shroff.flows.evaluate.timeline import NEVER
    from shroff.flows.load import mapping_of
    from shroff.runtimes.wiring import default_policy
    from shroff.runtimes.wiring.embedded import open_rows

    mapping = mapping_of([*map_])
    if LABEL in mapping:
        label_of(mapping)
    read = read_policy(default_policy() if policy is None else document_of(policy))
    rows = open_rows(file, mapping)
    with tracked(file.name, rows.total, rows.unit) as show:
        history = read_history(
            rows, currency=read.base_currency, until=NEVER, show=show, labels=LABEL in mapping
        )
    if history.rejected:
        print(f"shroff: {history.rejected} rows cannot be read and are left out", file=sys.stderr)
    return read, history


def _stored(data: Path, policy: Path | None) -> tuple[Policy, History]:
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.policy_document import read_policy
    from shroff.flows.train import stored_unlabelled
    from shroff.runtimes.wiring import default_policy

    with opened(Place(data=data)) as there:
        active = there.policies.active()
        document = default_policy() if active is None else active.document
        read = read_policy(document if policy is None else document_of(policy))
        with tracked(str(data), there.ledger.totals()["decided"], "rows") as show:
            return read, stored_unlabelled(there.ledger, show=show)


def _print_worth(found: Mapping[str, Mapping[str, float]]) -> None:
    names = next(iter(found.values())).keys()
    rows = [(name.replace("_", " "), *(each[name] for each in found.values())) for name in names]
    print_table(("measure, by labels it did not see", *found), rows, "")
