"""The model that the benchmarks promote: 300 trees over the default policy's features, trained once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shroff.adapters.lightgbm.train import Parameters, train
from shroff.core.compiled import Array
from shroff.core.model import Model
from shroff.core.model_document import model_document
from shroff.core.policy_document import read_policy
from shroff.flows.evaluate import read_history
from shroff.flows.evaluate.timeline import NEVER
from shroff.flows.load import mapping_of
from shroff.flows.train import Ask, Make, Show, Split
from shroff.flows.train import train as run
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.embedded import open_rows

TREES = 300
_KEPT = Path(__file__).parent.parent / "var" / "benchmarks" / f"model-{TREES}.json"


def made() -> Path:
    """Where the model's document is; it is trained on simulated payments where there is none yet."""
    if not _KEPT.exists():
        _KEPT.parent.mkdir(parents=True, exist_ok=True)
        _KEPT.write_bytes(model_document(_trained()))
    return _KEPT


def _trained() -> Model:
    from benchmarks.served import shroff  # noqa: PLC0415  # which takes the model from here

    policy = read_policy(default_policy())
    with tempfile.TemporaryDirectory(prefix="shroff-bench-") as folder:
        file = Path(folder) / "simulated.ndjson"
        shroff("simulate", "--out", file, "--days", "30", "--customers", "2000")
        rows = open_rows(file, mapping_of(["label=fraud"]))
        history = read_history(rows, currency=policy.base_currency, until=NEVER, show=_unseen)
    ask = Ask(split=Split(delay_days=7, validation_days=7)).check()
    return run(history, policy, ask, make=Make(grow=_grown, trees=TREES), track=_quiet).model


def _grown(
    rows: Array,
    fraud: Array,
    names: Sequence[str],
    valid: tuple[Array, Array],
    /,
    show: Show | None = None,
) -> Model:
    """All the trees, however soon fewer would do."""
    del valid, show
    return train(rows, fraud, tuple(names), parameters=Parameters(trees=TREES), name="benchmark")


def _unseen(done: int, rows: int, /) -> None:
    """Progress that nobody looks at."""


@contextmanager
def _quiet(*_: object) -> Iterator[Show]:
    yield _unseen
