"""How models are trained on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from shroff.core.compiled import Array
from shroff.core.model import Model
from shroff.flows.evaluate import Score, Train
from shroff.flows.train import Grow


def trainer(seed: int) -> Train:
    """LightGBM, the same with the same seed. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.train import train  # noqa: PLC0415  # it is an extra, and slow to load

    def trained(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        return train(columns, fraud, tuple(names), seed=seed).score

    return trained


def grower(name: str, seed: int) -> Grow:
    """LightGBM with early stopping and calibration. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.train import train  # noqa: PLC0415  # it is an extra, and slow to load

    def grown(rows: Array, fraud: Array, names: Sequence[str], valid: tuple[Array, Array], /) -> Model:
        return train(rows, fraud, tuple(names), valid=valid, seed=seed, name=name)

    return grown
