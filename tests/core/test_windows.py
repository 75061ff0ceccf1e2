"""Windows against a brute-force oracle that keeps every transaction and knows no tiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core import chains, distincts
from shroff.core.chains import TILES
from shroff.core.columns import Batch
from shroff.core.distincts import KEPT
from shroff.core.features import OPERATIONS, Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ENTITIES = {
    "customer": ("customer_id",),
    "merchant": ("merchant",),
    "customer_merchant": ("customer_id", "merchant"),
}
WINDOWS = ("5m", "1h", "1d")
START = 1_700_000_000_000


def layouts(lateness: int = DAY) -> list[Layout]:
    names = [
        f"{operation}_{window}" for operation in (*OPERATIONS, "merchant_distinct") for window in WINDOWS
    ]
    return [
        Layout(entity, fields, tuple(feature(entity, name, ENTITIES) for name in names), lateness)
        for entity, fields in ENTITIES.items()
    ]


def run(transactions: Sequence[Transaction], cuts: Sequence[int] = ()) -> np.ndarray:
    state = State.empty(layouts(), "USD", {})
    edges = [0, *sorted(cuts), len(transactions)]
    parts = [transactions[a:b] for a, b in pairwise(edges)]
    return np.vstack([observe(state, Batch.of(part)) for part in parts])


def oracle(transactions: Sequence[Transaction], since: int = 0) -> np.ndarray:
    rows = []
    for position, this in enumerate(transactions[since:], since):
        row = []
        for layout in layouts():
            for each in layout.features:
                key = [getattr(this, field) for field in layout.fields]
                tile = max(1, each.window // TILES)
                floor = (this.occurred_at - each.window) // tile * tile
                seen = [
                    other
                    for other in transactions[:position]
                    if [getattr(other, field) for field in layout.fields] == key
                    and floor <= other.occurred_at <= this.occurred_at
                ]
                row.append(math.nan if None in key else answer(each.operation, seen, this))
        rows.append(row)
    return np.array(rows, np.float64)


def answer(operation: str, seen: Sequence[Transaction], this: Transaction) -> float:
    amounts = [other.amount_minor / 100 for other in seen]
    if operation == "count":
        return len(seen)
    if operation == "amount_sum":
        return sum(amounts)
    if operation == "distinct":
        return len({other.merchant for other in seen} - {None})
    if operation == "amount_std":
        return stdev(other.amount_minor for other in seen) / 100 if len(seen) > 1 else math.nan
    if not seen:
        return math.nan
    if operation == "since_last":
        return (this.occurred_at - max(other.occurred_at for other in seen)) / 1000
    if operation == "amount_mean":
        return sum(amounts) / len(amounts)
    return min(amounts) if operation == "amount_min" else max(amounts)


def transaction(offset: int, amount: int, customer: str | None, merchant: str | None) -> Transaction:
    return Transaction(
        transaction_id=f"{offset}-{amount}",
        amount_minor=amount,
        currency="USD",
        occurred_at=START + offset,
        customer_id=customer,
        merchant=merchant,
    )


# Offsets come in any order: late and out of order, on the same instant, and just on tile and window borders.
offsets = st.one_of(
    st.integers(0, 2 * MINUTE),
    st.integers(0, 23 * HOUR),
    st.sampled_from([0, 1, 4_999, 5_000, 5 * MINUTE - 1, 5 * MINUTE, HOUR, HOUR + 1, 12 * HOUR]),
)
streams = st.lists(
    st.builds(
        transaction,
        offsets,
        st.integers(1, 10**9),
        st.sampled_from(["ann", "bob", None]),
        st.sampled_from(["shop", "bar", "inn", None]),
    ),
    min_size=1,
    max_size=40,
)


@given(streams)
def test_windows_equal_a_brute_force_oracle_for_late_and_out_of_order_arrivals(
    stream: list[Transaction],
) -> None:
    np.testing.assert_allclose(run(stream), oracle(stream), rtol=1e-9)


@given(streams, st.data())
def test_any_split_into_batches_gives_the_same_features_to_the_bit(
    stream: list[Transaction], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=5))
    np.testing.assert_array_equal(run(stream, cuts), run(stream))


@pytest.mark.parametrize("seed", range(3))
def test_a_dense_entity_in_order_equals_the_oracle_though_its_tiles_are_merged(seed: int) -> None:
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 3 * HOUR, 1_500))
    stream = [transaction(int(t), int(random.integers(1, 10**6)), "ann", "shop") for t in times]
    last = run(stream, [700])[-50:]
    np.testing.assert_allclose(last, oracle(stream, since=len(stream) - 50), rtol=1e-9)


def test_a_dense_late_arrival_never_sees_what_came_after_it() -> None:
    dense = [transaction(second * 1000, 100, "ann", "shop") for second in range(3600)]
    late = transaction(30 * MINUTE + 500, 100, "ann", "shop")
    count = names().index("customer.count_1h")
    seen, exact = run([*dense, late])[-1, count], 30 * 60 + 1
    assert exact - 60 <= seen <= exact, "a late arrival may miss its own tile, never count what came after"


@contextmanager
def interpreted() -> Iterator[None]:
    """The kernels' plain Python forms in place of their compiled ones."""
    kernels = [
        (module, name, kernel)
        for module in (chains, distincts)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "py_func")
    ]
    assert kernels
    for module, name, kernel in kernels:
        setattr(module, name, kernel.py_func)
    try:
        yield
    finally:
        for module, name, kernel in kernels:
            setattr(module, name, kernel)


def names() -> list[str]:
    return [each.name for layout in layouts() for each in layout.features]


def test_a_late_arrival_of_a_busy_entity_still_counts_what_lies_before_it() -> None:
    busy = [transaction(minute * MINUTE, 1_000, "ann", "shop") for minute in range(chains.ROOM + 40)]
    for late in (1, 20, 100):  # by so many events, each a minute
        here = transaction((len(busy) - late) * MINUTE - 30_000, 300_000, "ann", "shop")
        np.testing.assert_allclose(
            run([*busy, here])[-1], oracle([*busy, here], since=len(busy))[0], rtol=1e-6
        )


def test_a_late_arrival_within_a_merged_run_is_off_by_no_more_than_half_of_it() -> None:
    dense = [transaction(second * 1000, 1_000, "ann", "shop") for second in range(1_200)]
    count = names().index("customer.count_1d")
    for late in (400, 600, 1_000):
        here = transaction((1_200 - late) * 1000 + 500, 1_000, "ann", "shop")
        assert abs(run([*dense, here])[-1, count] - (1_200 - late + 1)) <= 1_200 // 2


def test_an_event_199_minutes_late_is_not_counted_in_a_60_minute_window() -> None:
    stream = [transaction(200 * MINUTE, 100, "ann", "shop"), transaction(MINUTE, 100, "ann", "shop")]
    stream.append(transaction(201 * MINUTE, 100, "ann", "shop"))
    assert run(stream)[-1, names().index("customer.count_1h")] == 1


def test_distinct_counts_are_exact_below_the_sketch_and_near_above_it() -> None:
    few, many = KEPT - 1, 5_000
    stream = [transaction(at, 100, "ann", f"shop-{at}") for at in range(many)]
    stream.append(transaction(many, 100, "ann", "shop-0"))
    counts = run(stream)[:, names().index("customer.merchant_distinct_1h")]
    np.testing.assert_array_equal(counts[: few + 1], np.arange(few + 1))
    assert counts[-1] == pytest.approx(many, rel=0.4), "three standard errors of a sketch of 64"


def test_memory_per_entity_is_bounded_whatever_its_traffic() -> None:
    state = State.empty(layouts(), "USD", {})
    used = []
    for part in range(4):
        rows = [transaction(part * 10**7 + at * 1000, 100, "ann", f"m{at}") for at in range(10_000)]
        observe(state, Batch.of(rows))
        used.append(int(state.entities["customer"].chains.ends[0]))
    blocks = [chains._room(kind) for kind in range(chains.LARGEST + 1)]
    assert used[0] == used[-1] <= sum(blocks) * len(WINDOWS), "a block of each kind at most"


@given(streams)
def test_compiled_and_interpreted_kernels_agree_to_the_bit(stream: list[Transaction]) -> None:
    compiled = run(stream)
    with interpreted():
        np.testing.assert_array_equal(run(stream), compiled)
