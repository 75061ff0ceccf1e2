"""The clean room: nothing that a model sees may come from its own label, or from what was not known yet.

Rows are measured once more from the past alone, with everything later and every label not known by then cut
off. A value that changes came from there.

::

    as evaluated      ── a ── b ── r ── c ── d ──▶        labels known before r: a;  after it: b, r
    measured again    ── a ── b ── r                       labels there: a
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shroff.codec import instant
from shroff.core.compiled import Array
from shroff.core.errors import Fault, Rejected
from shroff.core.metrics import average_precision
from shroff.core.policy import Policy
from shroff.flows.evaluate.history import History, taken
from shroff.flows.evaluate.timeline import Measure, interleaved

_TOLD = 5
_ALONE = 0.95
_FEWEST = 20


def check_past_alone(
    policy: Policy, history: History, known_at: Array, features: Array, rows: Array, measure: Measure
) -> None:
    """Measure some rows again from the past alone. Raises Rejected with each feature that differs.

    `features` [m, f] is what was measured of `rows` [m]. Of the past, that counts which shares an entity
    with the row, and what the payers did by whose habits frauds are judged that were known of these: features
    ask for nothing else.
    """
    codes = {layout.fields: _codes(history.batch.keys(layout.fields)) for layout in policy.layouts}
    judges = [codes[layout.fields] for layout in policy.layouts if layout.judges]
    faults: dict[str, Fault] = {}
    for found, row in zip(features, rows.tolist(), strict=True):
        past = _past(history, known_at, list(codes.values()), judges, row)
        again = _again(policy, history, known_at, past, measure)
        for at in np.flatnonzero(~np.isclose(found, again, rtol=1e-9, atol=1e-9, equal_nan=True)):
            name = policy.feature_names[at]
            faults.setdefault(name, _fault(name, history, row, found[at], again[at]))
    if faults:
        raise Rejected(list(faults.values())[:_TOLD])


def check_alone(names: Sequence[str], columns: Array, fraud: Array) -> None:
    """See whether one column alone tells the frauds. Raises Rejected: then it knows the label.

    `columns` is [n, f], NaN where missing; with fewer than 20 frauds nothing is said.
    """
    if np.count_nonzero(fraud) < _FEWEST or bool(np.all(fraud)):
        return
    faults = []
    for name, column in zip(names, columns.T, strict=True):
        rising, falling = (np.where(np.isnan(column), -np.inf, sign * column) for sign in (1.0, -1.0))
        alone = max(average_precision(fraud, rising), average_precision(fraud, falling))
        if alone >= _ALONE:
            sentence = f"{name} alone finds frauds at an average precision of {alone:.3f}: it is a label"
            faults.append(Fault(name, sentence))
    if faults:
        raise Rejected(faults[:_TOLD])


def _past(
    history: History, known_at: Array, codes: Sequence[Array], judges: Sequence[Array], row: int
) -> Array:
    """The rows [k] up to this one that its features can ask for, this one last."""
    asked = np.zeros(row + 1, bool)
    for keys in codes:
        asked |= (keys[: row + 1] == keys[row]) & (keys[row] >= 0)
    known = asked & history.fraud[: row + 1] & (known_at[: row + 1] <= history.batch.occurred_at[row])
    for keys in judges:
        payers = keys[: row + 1][known]
        asked |= np.isin(keys[: row + 1], payers[payers >= 0])
    asked[row] = True
    return np.flatnonzero(asked)


def _again(policy: Policy, history: History, known_at: Array, past: Array, measure: Measure) -> Array:
    """Features [f] of the last of some rows from nothing but these."""
    alone = History(
        batch=taken(history.batch, past), fraud=history.fraud[past], labelled=history.labelled[past]
    )
    due = np.flatnonzero(known_at[past[:-1]] <= history.batch.occurred_at[past[-1]])
    labelled, before = interleaved(alone, due, known_at[past[due]], slice(0, len(past)))
    again: Array = measure(policy.empty_state(), alone.batch, labelled, before)[-1]
    return again


def _codes(keys: Sequence[str | None]) -> Array:
    """A number for each key, the same for the same; -1 for none."""
    numbers: dict[str, int] = {}
    return np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def _fault(name: str, history: History, row: int, found: float, again: float) -> Fault:
    when = instant(int(history.batch.occurred_at[row]))
    sentence = (
        f"{name} of {history.batch.transaction_id[row]} at {when} is {found:.6g}, but {again:.6g} from what "
        "was known then: it sees the future, or a label before it is known"
    )
    return Fault(name, sentence)
