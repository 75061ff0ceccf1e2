"""How models are trained on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from shroff.core.compiled import Array
from shroff.flows.evaluate import Score, Train


def trainer(seed: int) -> Train:
    """LightGBM, the same with the same seed. Raises Rejected where it is not installed."""
    from shroff.adapters.lightgbm.train import train  # noqa: PLC0415  # it is an extra, and slow to load

    def trained(columns: Array, fraud: Array, names: Sequence[str]) -> Score:
        return train(columns, fraud, tuple(names), seed=seed).score

    return trained
