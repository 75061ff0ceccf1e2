"""Train a model on labelled rows: the same rows and seed give the same model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shroff.adapters.lightgbm.export import trees_of
from shroff.core.calibration import Kind, fit
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.model import Model

if TYPE_CHECKING:
    import lightgbm

FIXED: dict[str, Any] = {
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,  # choosing by a stopwatch would choose differently on a busy day
    "num_threads": 1,  # sums in one order; threads that wait for each other on a busy machine take far longer
    "verbosity": -1,
    "zero_as_missing": False,
}


MOST_TREES = 300
"""Of a model: more would take longer to ask than the few microseconds a transaction has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How trees are grown. The defaults did well on a week to some months of card transactions.

    Small trees, few features each, strong regularisation: frauds are few, and larger trees learn them by
    heart. `patience` is how many trees more are tried once the validation's `metric` gets no better.
    """

    trees: int = 250
    num_leaves: int = 8
    learning_rate: float = 0.03
    min_data_in_leaf: int = 20
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.8
    bagging_freq: int = 1
    lambda_l2: float = 5.0
    max_bin: int = 4095
    metric: str = "binary_logloss"
    patience: int = 50


Rows = tuple[Array, Array]
"""Rows [n, features] and which of them were fraud [n]."""

Show = Callable[[int, int], None]
"""Told how many trees are grown, and how many rows each saw."""


def train(  # noqa: PLR0913  # all but the rows have defaults
    x: Array,
    y: Array,
    names: tuple[str, ...],
    *,
    valid: Rows | None = None,
    seed: int = 7,
    parameters: Parameters | None = None,
    calibration: Kind = "platt",
    name: str = "model",
    show: Show | None = None,
) -> Model:
    """A model of rows `x` [n, features], NaN where missing, and `y` [n], whether each was fraud.

    With validation rows, which should be later than the others, training stops early by them and the
    probabilities are calibrated on them; without, there are as many trees as asked for and the log-odds are
    taken at their word. Raises Rejected where LightGBM is not installed or there is nothing to learn.
    """
    chosen = parameters or Parameters()
    _check(x, y, names, valid)
    booster = _boosted((x, y), valid, seed, chosen, show)
    best = booster.best_iteration if valid is not None else booster.current_iteration()
    model = Model(
        name=name,
        features=tuple(names),
        trees=trees_of(booster.dump_model(num_iteration=best)),
        trained={
            **_trained(booster, best, (x, y), names),
            "seed": seed,
            "parameters": asdict(chosen),
            "validation": 0 if valid is None else len(valid[1]),
        },
    )
    if valid is None:
        return model
    return replace(model, calibration=fit(calibration, model.raw(valid[0]), np.asarray(valid[1], bool)))


def _check(x: Array, y: Array, names: tuple[str, ...], valid: Rows | None) -> None:
    if x.ndim != 2 or x.shape != (len(y), len(names)):
        raise ValueError(f"{len(y)} labels and {len(names)} names do not fit rows of shape {x.shape}")
    if valid is not None and valid[0].shape != (len(valid[1]), len(names)):
        raise ValueError(f"validation rows of shape {valid[0].shape} do not fit")
    if not np.any(y) or np.all(y):
        raise Rejected(
            [Fault("labels", "training needs transactions known to be fraud and others known not to be")]
        )


def library() -> ModuleType:
    """LightGBM. Raises Rejected with what to install where it is not there."""
    try:
        import lightgbm  # noqa: PLC0415  # half a second that only training need wait
    except ImportError:
        sentence = "training needs LightGBM, which is not installed: pip install 'shroff[train]'"
        raise Rejected([Fault("train", sentence)]) from None
    return lightgbm


def _boosted(
    rows: Rows, valid: Rows | None, seed: int, chosen: Parameters, show: Show | None
) -> lightgbm.Booster:
    lgb, (x, y) = library(), rows
    grown = asdict(chosen)
    trees, patience = grown.pop("trees"), grown.pop("patience")
    settings = {**FIXED, **grown, "seed": seed}
    data = lgb.Dataset(x, np.asarray(y, np.float64), params=settings)
    watching = [] if show is None else [_telling(show, len(y))]
    stopping: dict[str, Any] = {"callbacks": watching}
    if valid is not None:
        held = lgb.Dataset(valid[0], np.asarray(valid[1], np.float64), reference=data, params=settings)
        stop = lgb.early_stopping(patience, verbose=False)
        stopping = {"valid_sets": [held], "callbacks": [stop, *watching]}
    return cast("lightgbm.Booster", lgb.train(settings, data, trees, **stopping))


def _telling(show: Show, rows: int) -> Callable[[Any], None]:
    """A callback of LightGBM that says how many trees there are."""

    def told(round_: Any) -> None:
        show(round_.iteration + 1, rows * (round_.iteration + 1))

    told.order = 0  # type: ignore[attr-defined]  # before the one that stops
    return told


def _trained(booster: lightgbm.Booster, trees: int, rows: Rows, names: tuple[str, ...]) -> dict[str, Any]:
    """How it came about: numbers of rows, what is usual of each feature, and what each was worth."""
    x, y = rows
    gains = dict(zip(names, booster.feature_importance("gain", iteration=trees).tolist(), strict=True))
    return {
        "by": "lightgbm",
        "trees": trees,
        "transactions": len(y),
        "frauds": int(np.count_nonzero(y)),
        "usual": _usual(x, names),
        "gain": {name: gain for name, gain in sorted(gains.items(), key=lambda pair: -pair[1]) if gain},
    }


def _usual(x: Array, names: tuple[str, ...]) -> dict[str, float]:
    """The median of each feature, of those that have any value."""
    found = {name: x[np.isfinite(x[:, place]), place] for place, name in enumerate(names)}
    return {name: float(np.median(values)) for name, values in found.items() if len(values)}
