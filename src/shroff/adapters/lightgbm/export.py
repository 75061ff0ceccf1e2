"""LightGBM's trees as plain data: equal to its own raw predictions and contributions to 1e-9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shroff.core.errors import Fault, Rejected
from shroff.core.trees import MOST, Trees

_ENDLESS = 1e300
"""What a dump says for a threshold that lets every number by."""


def trees_of(dump: Mapping[str, Any]) -> Trees:
    """The trees of what `Booster.dump_model()` says.

    Raises Rejected for what plain trees are not: categories, zeros taken for missing, linear leaves, more
    classes than two.
    """
    if dump["num_tree_per_iteration"] != 1:
        raise _unusable("more than two classes")
    columns = _Columns()
    for tree in dump["tree_info"]:
        columns.add_tree(tree["tree_structure"])
    return columns.trees()


class _Columns:
    """The arrays of the trees, as they grow."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.splits: list[tuple[int, float, bool]] = []
        self.children: list[list[int]] = []
        self.leaves: list[tuple[float, float]] = []

    def add_tree(self, root: Mapping[str, Any]) -> None:
        self.roots.append(~len(self.leaves) if _is_leaf(root) else len(self.splits))
        stack = [(root, -1, 0)]
        while stack:
            node, parent, side = stack.pop()
            if parent >= 0:
                self.children[parent][side] = ~len(self.leaves) if _is_leaf(node) else len(self.splits)
            if _is_leaf(node):
                self._add_leaf(node)
            else:
                place = len(self.splits)
                self._add_split(node)
                stack += [(node["right_child"], place, 1), (node["left_child"], place, 0)]

    def _add_leaf(self, leaf: Mapping[str, Any]) -> None:
        if "leaf_const" in leaf:
            raise _unusable("linear leaves")
        self.leaves.append((leaf["leaf_value"], max(1, leaf.get("leaf_count", 1))))

    def _add_split(self, split: Mapping[str, Any]) -> None:
        if split["decision_type"] != "<=":
            raise _unusable("splits by category")
        if split["missing_type"] == "Zero":
            raise _unusable("zeros taken for missing")
        # A feature that was never missing in training is taken for 0 where it is now.
        unseen = split["missing_type"] == "None"
        missing_left = split["threshold"] >= 0 if unseen else split["default_left"]
        threshold = split["threshold"] if split["threshold"] < _ENDLESS else MOST
        self.splits.append((split["split_feature"], threshold, missing_left))
        self.children.append([0, 0])

    def trees(self) -> Trees:
        children = np.array(self.children, np.int32).reshape(-1, 2)
        return Trees(
            roots=np.array(self.roots, np.int32),
            feature=np.array([feature for feature, _, _ in self.splits], np.int32),
            threshold=np.array([threshold for _, threshold, _ in self.splits], np.float64),
            missing_left=np.array([left for _, _, left in self.splits], np.bool_),
            left=children[:, 0].copy(),
            right=children[:, 1].copy(),
            value=np.array([value for value, _ in self.leaves], np.float64),
            cover=np.array([cover for _, cover in self.leaves], np.float64),
        )


def _is_leaf(node: Mapping[str, Any]) -> bool:
    return "leaf_value" in node


def _unusable(what: str) -> Rejected:
    return Rejected([Fault("model", f"a LightGBM model with {what} cannot be served")])
