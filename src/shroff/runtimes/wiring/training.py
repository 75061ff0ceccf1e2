"""How models are trained on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shroff.core.compiled import Array
from shroff.core.model import Model
from shroff.flows.evaluate import Score, Train, Tune, Tuned
from shroff.flows.train import Chosen, Grow, Make, Show

if TYPE_CHECKING:
    from shroff.adapters.lightgbm.train import Parameters


def trainer(seed: int, parameters: Parameters | None = None) -> Train:
    """LightGBM, the same with the same seed. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.train import train  # noqa: PLC0415  # it is an extra, and slow to load

    def trained(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        return train(columns, fraud, tuple(names), seed=seed, parameters=parameters).score

    return trained


def tuner(seed: int, tries: int) -> Tune:
    """LightGBM with settings chosen by so many tries. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.search import search  # noqa: PLC0415

    def tuned(rows: Array, fraud: Array, windows: Sequence[tuple[Array, Array]], /, show: Show) -> Tuned:
        found = search(rows, fraud, windows, seed=seed, tries=tries, show=show)
        # All rows train in the end, so that none are left to say when to stop.
        chosen = replace(found.parameters, trees=found.trees)
        return Tuned(train=trainer(seed, chosen), told=found.told | {"trees": found.trees})

    return Tune(choose=tuned, tries=tries)


def grower(name: str, seed: int, parameters: Parameters | None = None) -> Grow:
    """LightGBM with early stopping and calibration. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.train import train  # noqa: PLC0415  # it is an extra, and slow to load

    def grown(
        rows: Array,
        fraud: Array,
        names: Sequence[str],
        valid: tuple[Array, Array],
        /,
        show: Show | None = None,
    ) -> Model:
        return train(
            rows, fraud, tuple(names), valid=valid, seed=seed, name=name, parameters=parameters, show=show
        )

    return grown


def maker(name: str, seed: int, tries: int) -> Make:
    """LightGBM, with settings chosen by so many tries; with none, by its defaults."""
    from shroff.adapters.lightgbm.search import search  # noqa: PLC0415
    from shroff.adapters.lightgbm.train import MOST_TREES  # noqa: PLC0415

    def searched(rows: Array, fraud: Array, windows: Sequence[tuple[Array, Array]], /, show: Show) -> Chosen:
        found = search(rows, fraud, windows, seed=seed, tries=tries, show=show)
        return Chosen(grow=grower(name, seed, found.parameters), told=found.told)

    return Make(grow=grower(name, seed), trees=MOST_TREES, search=searched, tries=tries)
