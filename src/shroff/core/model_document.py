"""A model's JSON document: canonical, with the hash of its content, read only if nothing of it is damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from shroff.core.calibration import Calibration, Isotonic, Platt
from shroff.core.compiled import Array
from shroff.core.errors import Damaged, Fault
from shroff.core.model import FORM, Model, canonical, content_hash, members
from shroff.core.trees import Trees

_COLUMNS: Mapping[str, type[np.generic]] = {
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "missing_left": np.bool_,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
    "cover": np.float64,
}


def model_document(model: Model) -> bytes:
    """Canonical JSON: equal models give equal bytes."""
    return canonical({**members(model), "version": model.version})


def read_model(document: bytes) -> Model:
    """The model of a document; its spacing and the order of its members do not count. Raises Damaged."""
    content = _content(document)
    try:
        model = Model(
            name=_text(content["name"]),
            features=tuple(_text(name) for name in content["features"]),
            base=_number(content["base"]),
            trees=_trees(content["trees"]),
            calibration=_calibration(content["calibration"]),
            thresholds={outcome: _number(score) for outcome, score in content["thresholds"].items()},
            trained=dict(content["trained"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        _refuse("a member is missing or of another kind than in a model")
    problem = model.trees.problem(len(model.features))
    if len(set(model.features)) != len(model.features):
        problem = "a feature is named twice"
    if problem:
        _refuse(problem)
    return model


def _content(document: bytes) -> dict[str, Any]:
    """The members without the version, which must be the hash of the others."""
    try:
        content = json.loads(document, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        _refuse("it is not JSON")
    if not isinstance(content, dict) or "version" not in content:
        _refuse("it is not a JSON object with a version")
    said = content.pop("version")
    try:
        found = content_hash(content)
    except (ValueError, RecursionError):
        found = None
    if said != found:
        _refuse(f"its content is not what its version {said!r:.40} was made of")
    if content.get("form") != FORM:
        _refuse(f"it is of form {content.get('form')!r:.40}, and this is read: {FORM}")
    return content


def _refuse(why: str) -> NoReturn:
    raise Damaged([Fault("model", f"the model's document cannot be used: {why}")])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _trees(columns: Mapping[str, Any]) -> Trees:
    return Trees(**{name: _column(columns[name], kind) for name, kind in _COLUMNS.items()})


def _column(values: Any, kind: type[np.generic]) -> Array:
    """A flat list of numbers, or of truth values, as an array that nothing was lost in."""
    if not isinstance(values, list) or not {type(value) for value in values} <= _KINDS[kind]:
        raise TypeError(values)
    return np.array(values, kind)


_KINDS: Mapping[type[np.generic], set[type]] = {np.int32: {int}, np.float64: {int, float}, np.bool_: {bool}}


def _calibration(content: Mapping[str, Any]) -> Calibration:
    if content["kind"] == "platt":
        return Platt(_number(content["slope"]), _number(content["offset"]))
    if content["kind"] != "isotonic":
        raise ValueError(content["kind"])
    x, y = (tuple(_number(value) for value in content[axis]) for axis in ("x", "y"))
    rises = all(one < other for one, other in pairwise(x))
    if not x or len(x) != len(y) or not rises or list(y) != sorted(y):
        raise ValueError("not a curve that never falls")
    return Isotonic(x, y)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)
