"""Small models, made by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shroff.core.calibration import Platt
from shroff.core.model import Model
from shroff.core.trees import Trees


def stump(
    name: str, splits: Mapping[str, tuple[float, float, float]], *, usual: Mapping[str, float] | None = None
) -> Model:
    """A tree a feature: feature → (threshold, log-odds up to it or where it is missing, log-odds above)."""
    n = len(splits)
    return Model(
        name=name,
        features=tuple(splits),
        base=-1.0,
        trees=Trees(
            roots=np.arange(n, dtype=np.int32),
            feature=np.arange(n, dtype=np.int32),
            threshold=np.array([each[0] for each in splits.values()]),
            missing_left=np.ones(n, bool),
            left=np.array([~(2 * at) for at in range(n)], np.int32),
            right=np.array([~(2 * at + 1) for at in range(n)], np.int32),
            value=np.array([value for each in splits.values() for value in each[1:]], np.float64),
            cover=np.array([9.0, 1.0] * n),
        ),
        calibration=Platt(1.0, 0.0),
        trained={"usual": dict(usual or {})},
    )
