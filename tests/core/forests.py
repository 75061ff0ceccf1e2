"""Random trees, and rows for them: values that meet thresholds, missing and endless ones."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from shroff.core.compiled import Array
from shroff.core.trees import Trees

FEATURES = 4
_EDGES = (-1e300, -2.5, -1.0, 0.0, 0.1, 1.0, 7.0, 1e300)


def grown(dice: np.random.Generator, trees: int, most_leaves: int) -> Trees:
    """Trees that were split at random places."""
    columns: dict[str, list[float]] = {name: [] for name in Trees.__dataclass_fields__}
    leaves = 0
    for _ in range(trees):
        leaves = _tree(dice, columns, int(dice.integers(1, most_leaves + 1)), leaves)
    columns["value"] = dice.normal(size=leaves).tolist()
    columns["cover"] = dice.integers(1, 50, leaves).tolist()
    kinds = {"threshold": np.float64, "value": np.float64, "cover": np.float64, "missing_left": np.bool_}
    return Trees(**{name: np.array(values, kinds.get(name, np.int32)) for name, values in columns.items()})


def _tree(dice: np.random.Generator, columns: dict[str, list[float]], size: int, leaves: int) -> int:
    """One more tree of `size` leaves; returns how many there are now."""
    base = len(columns["feature"])
    ends: list[tuple[str, int]] = [("roots", len(columns["roots"]))]
    columns["roots"].append(0)
    for place in range(base, base + size - 1):
        side, parent = ends.pop(int(dice.integers(len(ends))))
        columns[side][parent] = place
        columns["feature"].append(int(dice.integers(FEATURES)))
        columns["threshold"].append(float(dice.choice(_EDGES)))
        columns["missing_left"].append(bool(dice.integers(2)))
        columns["left"].append(0)
        columns["right"].append(0)
        ends += [("left", place), ("right", place)]
    for side, parent in ends:
        columns[side][parent] = ~leaves
        leaves += 1
    return leaves


def some_rows(dice: np.random.Generator, rows: int) -> Array:
    """Rows on, beside and far from the thresholds, or missing."""
    values = np.array([*_EDGES, np.nan, np.inf, -np.inf, 0.1 + 1e-17, -0.0, 3.3])
    return dice.choice(values, (rows, FEATURES))


@st.composite
def forests(draw: st.DrawFn) -> tuple[Trees, Array]:
    """Trees, some of a single leaf, and rows for them."""
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    trees = grown(dice, draw(st.integers(0, 6)), draw(st.integers(1, 24)))
    return trees, some_rows(dice, draw(st.integers(0, 150)))
