"""`shroff train`: from a labelled file to a model that the registry takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shroff.cli.options import Json, print_json, print_table
from shroff.core.errors import Fault, Rejected


def train(
    file: Path,
    /,
    *,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", negative=(), help="member=COLUMN, and label=COLUMN; repeatable."),
    ] = None,
    policy: Annotated[Path | None, Parameter(help="Whose features; else the default's.")] = None,
    delay_days: Annotated[int, Parameter(help="Days until a label is known.")] = 7,
    validation_days: Annotated[int, Parameter(help="Newest days that training does not see.")] = 14,
    name: Annotated[str, Parameter(help="The model's name, for people.")] = "model",
    model_dir: Annotated[Path, Parameter(help="Folder for the model's document.")] = Path("models"),
    seed: Annotated[int, Parameter(help="The same gives the same model.")] = 7,
    json: Json = False,
) -> None:
    """Train a model on labelled history, each label known only after its delay, and write its document."""
    from shroff.cli.policy import document_of
    from shroff.cli.progress import tracked
    from shroff.core.model_document import model_document
    from shroff.core.policy_document import read_policy
    from shroff.flows.evaluate import label_of, read_history
    from shroff.flows.evaluate.timeline import NEVER
    from shroff.flows.load import mapping_of
    from shroff.flows.train import Split
    from shroff.flows.train import train as run
    from shroff.runtimes.wiring import default_policy
    from shroff.runtimes.wiring.embedded import open_rows
    from shroff.runtimes.wiring.training import grower

    mapping = mapping_of(map_ or [])
    label_of(mapping)
    split = Split(delay_days=delay_days, validation_days=validation_days).check()
    read = read_policy(default_policy() if policy is None else document_of(policy))
    rows = open_rows(file, mapping)
    with tracked(file.name, rows.total, rows.unit) as show:
        history = read_history(rows, currency=read.base_currency, until=NEVER, show=show)
    if history.rejected:
        print(f"shroff: {history.rejected} rows cannot be read and are left out", file=sys.stderr)
    days = int(history.batch.occurred_at[-1] - history.batch.occurred_at[0]) // 86_400_000 + 1
    with tracked("train", days, "days") as show:
        model = run(history, read, split, grow=grower(name, seed), show=show)
    place = _write(model_dir, f"{name}-{model.version}.json", model_document(model))
    if json:
        print_json({"version": model.version, "file": str(place), **model.trained})
        return
    print_table(("measure", "validation"), [(k.replace("_", " "), f"{v:g}") for k, v in
                                            model.trained["measures"].items()], "")  # fmt: skip
    print(f"model {model.version} is in {place}; shroff model import {place} registers it")


def _write(folder: Path, name: str, document: bytes) -> Path:
    """The document in its place, whole or not at all. Raises Rejected."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}"
        draft.write_bytes(document)
        return draft.replace(folder / name)
    except OSError as error:
        sentence = f"cannot write {folder / name}: {error.strerror}"
        raise Rejected([Fault("model_dir", sentence)]) from None
