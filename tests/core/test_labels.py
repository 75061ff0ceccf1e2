"""Label features against a brute-force oracle that keeps every label and knows no tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.codec import decode_part, encode_part
from shroff.core.chains import TILES
from shroff.core.columns import Batch
from shroff.core.densest import densest
from shroff.core.features import KNOWN_OPERATIONS, RUN_OPERATIONS, Feature, Layout, feature
from shroff.core.labels import Labelled, learn
from shroff.core.observe import observe
from shroff.core.parts import merge, touched
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_window_memory import check
from tests.core.test_windows import (
    DAY,
    ENTITIES,
    HOUR,
    MINUTE,
    START,
    WINDOWS,
    interpreted,
    offsets,
    streams,
    transaction,
)

LABEL_NAMES = [f"{name}_{window}" for name in (*KNOWN_OPERATIONS, *RUN_OPERATIONS) for window in WINDOWS]


@dataclass(frozen=True)
class Told:
    """A label: of which row, what it says, when it was known, and before which row it is learned."""

    row: int
    fraud: bool
    known_at: int
    before: int


HABIT = "amount_surprise_1h"
"""By the habit of this window the customers judge."""


def layouts(*more: str) -> list[Layout]:
    names = [*LABEL_NAMES, *more]
    return [
        Layout(
            entity,
            fields,
            tuple(feature(entity, name, ENTITIES) for name in names + [HABIT] * (entity == "customer")),
            DAY,
            judges=entity == "customer",
        )
        for entity, fields in ENTITIES.items()
    ]


def labelled(stream: Sequence[Transaction], told: Sequence[Told]) -> Labelled:
    return Labelled(
        batch=Batch.of([stream[each.row] for each in told]),
        fraud=np.array([each.fraud for each in told], bool),
        known_at=np.array([each.known_at for each in told], np.int64),
    )


def run(stream: Sequence[Transaction], told: Sequence[Told], cuts: Sequence[int] = ()) -> np.ndarray:
    state, found = State.empty(layouts("count_1h"), "USD", {}), []
    for start, end in pairwise([0, *sorted(cuts), len(stream)]):
        mine = [each for each in told if start < each.before <= end or each.before == start == 0]
        before = np.array([each.before - start for each in mine], np.int64)
        found.append(observe(state, Batch.of(stream[start:end]), labelled(stream, mine), before))
        check(state)
    return np.vstack(found)


def oracle(stream: Sequence[Transaction], told: Sequence[Told]) -> np.ndarray:
    rows = []
    for position, this in enumerate(stream):
        row = []
        for layout in layouts("count_1h"):
            key = [getattr(this, field) for field in layout.fields]
            same = [
                (
                    stream[each.row].occurred_at,
                    each.known_at,
                    each.fraud,
                    each.fraud and not explained(stream, each),
                )
                for each in told
                if each.before <= position
                and [getattr(stream[each.row], field) for field in layout.fields] == key
            ]
            row += [
                math.nan if None in key else answer(each, same, this.occurred_at)
                for each in layout.features
                if each.operation not in ("count", "amount_surprise")
            ]
        rows.append(row)
    return np.array(rows, np.float64)


def explained(stream: Sequence[Transaction], label: Told) -> bool:
    """Whether a fraud's amount is twice what its payer's were in the hour before, where there are three."""
    this = stream[label.row]
    floor = (this.occurred_at - HOUR) // MINUTE * MINUTE
    amounts: dict[int, list[int]] = {}
    for each in stream[: label.before]:
        same = this.customer_id is not None and each.customer_id == this.customer_id
        if same and floor <= each.occurred_at < this.occurred_at:
            amounts.setdefault(each.occurred_at, []).append(each.amount_minor)
    # What occurred in one instant is one record, and stands for its mean.
    usual = [sum(some) / len(some) for some in amounts.values()]
    return len(usual) >= 3 and this.amount_minor + 100 >= 2 * (median(usual) + 100)


def answer(asked: Feature, labels: Sequence[tuple[int, int, bool, bool]], now: int) -> float:
    tile = max(1, asked.window // TILES)
    floor = (now - asked.window) // tile * tile
    if asked.operation in KNOWN_OPERATIONS:
        known = [label for label in labels if floor <= label[1] <= now]
        frauds = [fraud for _, _, fraud, _ in known]
        counts = {
            "labelled_count": len(frauds),
            "fraud_count": sum(frauds),
            "unexplained_count": sum(accusing for *_, accusing in known),
        }
        if asked.operation == "fraud_rate":
            return sum(frauds) / len(frauds) if frauds else math.nan
        return counts[asked.operation]
    # In one instant frauds come last.
    seen = sorted((at, fraud, accusing) for at, _, fraud, accusing in labels if floor <= at <= now)[::-1]
    first = next((place for place, (_, fraud, _) in enumerate(seen) if fraud), len(seen))
    rest = seen[first:]
    unbroken = next((place for place, (_, fraud, _) in enumerate(rest) if not fraud), len(rest))
    # A fraud of the instant in which the run ended is of the run.
    run = [at for at, _, _ in rest[:unbroken]]
    accusing = [at for at, _, accuses in rest[:unbroken] if accuses]
    counts = {"fraud_run": len(run), "run_unexplained": len(accusing)}
    if asked.operation in counts:
        return counts[asked.operation]
    if asked.operation == "clean_since_fraud":
        return first if run else math.nan
    then = {
        "since_fraud": run[:1],
        "fraud_run_age": run[-1:],
        "since_clean": [at for at, _, _ in seen[:1]] if first else [],
        "clean_before_run": [at for at, _, _ in rest[unbroken : unbroken + 1]],
        "run_unexplained_age": accusing[-1:],
    }[asked.operation]
    return (now - then[0]) / 1000 if then else math.nan


def of_labels(found: np.ndarray) -> np.ndarray:
    asked = [each for layout in layouts("count_1h") for each in layout.features]
    return found[:, [each.operation not in ("count", "amount_surprise") for each in asked]]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Transaction], list[Told]]:
    """A disordered stream, and labels of some of its rows, each learned later than its row."""
    stream = draw(streams)
    some = draw(
        st.lists(
            st.tuples(st.integers(0, len(stream) - 1), st.booleans(), offsets, st.integers(0, 40)),
            max_size=30,
        )
    )
    known = sorted(START + at for _, _, at, _ in some)
    told, earliest = [], 0
    for known_at, (row, fraud, _, more) in zip(known, some, strict=True):
        earliest = min(len(stream), max(earliest, row + 1 + more // 4))
        told.append(Told(row, fraud, known_at, earliest))
    return stream, told


@given(histories())
def test_label_features_equal_a_brute_force_oracle(history: tuple[list[Transaction], list[Told]]) -> None:
    np.testing.assert_allclose(of_labels(run(*history)), oracle(*history), rtol=1e-9)


@given(histories(), st.data())
def test_any_split_into_batches_gives_the_same_features_with_labels_to_the_bit(
    history: tuple[list[Transaction], list[Told]], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(1, len(history[0])), max_size=5))
    np.testing.assert_array_equal(run(*history, cuts), run(*history))


@given(histories(), st.integers(0, 40))
def test_no_label_changes_a_row_before_it_is_learned(
    history: tuple[list[Transaction], list[Told]], row: int
) -> None:
    stream, told = history
    others = [
        each if each.before <= row else Told(each.row, not each.fraud, each.known_at, each.before)
        for each in told
    ]
    np.testing.assert_array_equal(run(stream, told)[: row + 1], run(stream, others)[: row + 1])


@given(histories())
def test_a_window_by_known_at_never_sees_what_became_known_later(
    history: tuple[list[Transaction], list[Told]],
) -> None:
    stream, told = history
    late = [Told(each.row, each.fraud, START + 30 * DAY, each.before) for each in told]
    found = run(stream, late)
    for column, each in enumerate(each for layout in layouts("count_1h") for each in layout.features):
        if each.operation in {"labelled_count", "fraud_count"}:
            assert np.nansum(found[:, column]) == 0


@given(histories())
def test_compiled_and_interpreted_kernels_agree_on_labels_to_the_bit(
    history: tuple[list[Transaction], list[Told]],
) -> None:
    compiled = run(*history)
    with interpreted():
        np.testing.assert_array_equal(run(*history), compiled)


@given(histories())
def test_labels_change_no_window_of_transactions(history: tuple[list[Transaction], list[Told]]) -> None:
    stream, told = history
    asked = [each for layout in layouts("count_1h") for each in layout.features]
    counts = [each.operation == "count" for each in asked]
    np.testing.assert_array_equal(run(stream, told)[:, counts], run(stream, [])[:, counts])


@given(histories())
def test_a_policy_without_label_features_passes_labels_by(
    history: tuple[list[Transaction], list[Told]],
) -> None:
    stream, told = history
    plain = Layout("customer", ("customer_id",), (feature("customer", "count_1h", ENTITIES),), DAY)
    with_labels, without = State.empty([plain], "USD", {}), State.empty([plain], "USD", {})
    before = np.array([each.before for each in told], np.int64)
    found = observe(with_labels, Batch.of(stream), labelled(stream, told), before)
    np.testing.assert_array_equal(found, observe(without, Batch.of(stream)))
    learn(with_labels, labelled(stream, told))
    assert with_labels.entities["customer"].slots == without.entities["customer"].slots
    for key in without.entities["customer"].slots:
        assert encode_part(with_labels.take("customer", key)) == encode_part(without.take("customer", key))


@given(histories(), st.integers(1, 40))
def test_entities_kept_as_bytes_remember_their_labels(
    history: tuple[list[Transaction], list[Told]], row: int
) -> None:
    stream, told = history
    row = min(row, len(stream))
    first, second = stream[:row], stream[row:]
    early = [each for each in told if each.before <= row]
    rest = [each for each in told if each.before > row]
    state, other = State.empty(layouts("count_1h"), "USD", {}), State.empty(layouts("count_1h"), "USD", {})
    observe(
        state, Batch.of(first), labelled(stream, early), np.array([each.before for each in early], np.int64)
    )
    for kind, key in touched(layouts("count_1h"), Batch.of(first)):
        other.give(kind, key, decode_part(encode_part(state.take(kind, key))))
    before = np.array([each.before - row for each in rest], np.int64)
    found = [observe(each, Batch.of(second), labelled(stream, rest), before) for each in (state, other)]
    np.testing.assert_array_equal(found[0], found[1])
    check(other)


@given(histories())
def test_parts_of_two_writers_remember_together_what_one_would(
    history: tuple[list[Transaction], list[Told]],
) -> None:
    stream, told = history
    whole, *halves = (State.empty(layouts(), "USD", {}) for _ in range(3))
    learn(whole, labelled(stream, told))
    for parity, half in enumerate(halves):
        learn(half, labelled(stream, told[parity::2]))
    merged = State.empty(layouts(), "USD", {})
    for layout in layouts():
        for key in whole.entities[layout.entity].slots:
            parts = [half.take(layout.entity, key) for half in halves]
            merged.give(layout.entity, key, merge(layout, parts))
    later = Batch.of([transaction(DAY, 100, each.customer_id, each.merchant) for each in stream])
    np.testing.assert_allclose(observe(merged, later), observe(whole, later), rtol=1e-9)


def one(name: str, stream: Sequence[Transaction], told: Sequence[Told]) -> float:
    layout = Layout("merchant", ("merchant",), (feature("merchant", name, ENTITIES),), DAY)
    state = State.empty([layout], "USD", {})
    before = np.array([each.before for each in told], np.int64)
    return float(observe(state, Batch.of(stream), labelled(stream, told), before)[-1, 0])


def test_a_label_of_last_week_that_became_known_today_is_in_the_window_of_a_day() -> None:
    stream = [transaction(0, 100, "ann", "shop"), transaction(7 * DAY, 100, "bob", "shop")]
    told = [Told(0, True, START + 7 * DAY - HOUR, 1)]
    assert one("fraud_count_1d", stream, told) == 1
    assert one("fraud_rate_1d", stream, told) == 1
    assert one("fraud_run_1d", stream, told) == 0, "but its transaction is not"
    assert one("since_fraud_30d", stream, told) == 7 * DAY / 1000


def test_a_run_of_frauds_ends_at_one_known_to_be_legitimate() -> None:
    stream = [transaction(minute * MINUTE, 100, "ann", "shop") for minute in range(7)]
    verdicts = [True, False, True, True, True, False]
    told = [Told(row, fraud, START + 6 * MINUTE, 6) for row, fraud in enumerate(verdicts)]
    assert one("fraud_run_1d", stream, told) == 3
    assert one("fraud_run_age_1d", stream, told) == 240
    assert one("since_fraud_1d", stream, told) == 120
    assert one("clean_since_fraud_1d", stream, told) == 1
    told.append(Told(3, False, START + 6 * MINUTE, 6))
    assert one("fraud_run_1d", stream, told[:3] + told[4:]) == 1, "a late verdict splits a run"


def test_memory_of_labels_is_bounded_and_no_heavier_than_the_densest() -> None:
    layout = layouts()[1]
    state, random, shops = State.empty([layout], "USD", {}), np.random.default_rng(0), []
    for part in range(6):
        times = np.sort(random.integers(0, 4 * HOUR, 2_000)) + part * 4 * HOUR
        stream = [transaction(int(at), 100, "ann", "shop") for at in times]
        told = [
            Told(row, bool(random.random() < 0.3), START + int(at) + HOUR, 0) for row, at in enumerate(times)
        ]
        learn(state, labelled(stream, told))
        check(state)
        shops.append(len(encode_part(state.take("merchant", "shop"))))
    assert max(shops) <= len(encode_part(densest(layout)))
    later = Batch.of([transaction(25 * HOUR, 100, "bob", "shop")])
    column = [each.name for each in layout.features].index("merchant.labelled_count_1d")
    assert observe(state, later)[0, column] == pytest.approx(12_000, rel=0.02), "by a tile"


@pytest.mark.parametrize("before", [None, np.array([1]), np.array([1, 0])])
def test_labels_without_their_rows_in_order_are_refused(before: np.ndarray | None) -> None:
    stream = [transaction(0, 100, "ann", "shop")]
    told = labelled(stream, [Told(0, True, START, 1), Told(0, True, START, 1)])
    with pytest.raises(ValueError, match="ascending order"):
        observe(State.empty(layouts(), "USD", {}), Batch.of(stream), told, before)
