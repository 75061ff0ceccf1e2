"""A model as plain data: trees, calibration, what they are asked about and where they come from.

It is served from that, by numpy or compiled; what trained it is not needed any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from shroff.core.calibration import Calibration, Isotonic, Platt
from shroff.core.compiled import Array
from shroff.core.contributions import Contributions
from shroff.core.trees import Trees

FORM = 1
"""Which form of document a model is written in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Trees whose values add up to log-odds of fraud, and a calibration that makes a probability of them.

    `features` names the columns that are asked for, in their order; `base` is what the trees add to;
    `thresholds` are scores by the outcome that they suggest; `trained` says how the model came about, as
    plain JSON values. Rows are [n, features], float64; NaN is missing.
    """

    name: str
    features: tuple[str, ...]
    trees: Trees
    base: float = 0.0
    calibration: Calibration = field(default_factory=Platt)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    trained: Mapping[str, Any] = field(default_factory=dict)

    def raw(self, rows: Array) -> Array:
        """Log-odds [n], summed up in the order of the trees."""
        return self.trees.sums(self._checked(rows), self.base)

    def score(self, rows: Array) -> Array:
        """Calibrated probabilities [n]."""
        return self.calibration.probability(self.raw(rows))

    def contributions(self, rows: Array) -> Array:
        """What each feature adds to the log-odds [n, features + 1]; the last column is where they begin.

        They add up to `raw` but for rounding. A row takes a millisecond or so: for hits, not for all.
        """
        return self._contributions.of(self._checked(rows), self.base)

    @cached_property
    def version(self) -> str:
        """A hash of all that the model says: equal versions answer equally."""
        return content_hash(members(self))

    @cached_property
    def _contributions(self) -> Contributions:
        return Contributions(self.trees)

    def _checked(self, rows: Array) -> Array:
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise ValueError(
                f"rows of {len(self.features)} features expected, not an array of shape {rows.shape}"
            )
        return rows


def members(model: Model) -> dict[str, Any]:
    """All that a model says, as plain JSON values, without its version."""
    return {
        "form": FORM,
        "name": model.name,
        "features": list(model.features),
        "base": float(model.base),
        "trees": {name: getattr(model.trees, name).tolist() for name in Trees.__dataclass_fields__},
        "calibration": _calibration_members(model.calibration),
        "thresholds": {outcome: float(score) for outcome, score in model.thresholds.items()},
        "trained": dict(model.trained),
    }


def _calibration_members(calibration: Calibration) -> dict[str, Any]:
    if isinstance(calibration, Isotonic):
        return {"kind": "isotonic", "x": list(calibration.x), "y": list(calibration.y)}
    return {"kind": "platt", "slope": calibration.slope, "offset": calibration.offset}


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one JSON of these values: equal values give equal bytes. ValueError for what is not finite."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def content_hash(content: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits of the canonical JSON's SHA-256."""
    return sha256(canonical(content)).hexdigest()[:16]
