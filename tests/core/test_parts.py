"""Parts: entities kept one by one, in bytes and by several writers, are remembered as if kept together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shroff.codec import decode_part, encode_part
from shroff.core.chains import ROOM
from shroff.core.columns import Batch
from shroff.core.distincts import KEPT, MOST_TILES
from shroff.core.features import Layout, feature
from shroff.core.observe import observe
from shroff.core.parts import EntityPart, merge, newest, touched
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_window_memory import DECADE, check
from tests.core.test_windows import DAY, ENTITIES, HOUR, MINUTE, START, layouts, names, streams, transaction

CUSTOMER = layouts()[0]
COLUMNS = [name.startswith("customer.") for name in names()]
STD = np.array(["amount_std" in name for name in names()])


def empty() -> State:
    return State.empty(layouts(), "USD", {})


def steadily(stream: Sequence[Transaction]) -> np.ndarray:
    return observe(empty(), Batch.of(stream))


def by_parts(stream: Sequence[Transaction], sizes: Sequence[int]) -> np.ndarray:
    """The features of a stream whose entities are kept apart, as bytes, between batches of these sizes."""
    kept, found, start = dict[tuple[str, str], bytes](), [], 0
    for size in [*sizes, len(stream)]:
        batch = Batch.of(stream[start : start + size])
        state, pairs = empty(), touched(layouts(), batch)
        for pair in pairs:
            if pair in kept:
                state.give(*pair, decode_part(kept[pair]))
        found.append(observe(state, batch))
        check(state)
        kept |= {pair: encode_part(state.take(*pair)) for pair in pairs}
        start += size
    return np.vstack(found)


def wild(seed: int, number: int = 1_500) -> list[Transaction]:
    """A stream hot and sparse in turns, disordered, with clocks from the future and members missing."""
    random = np.random.default_rng(seed)
    spans = random.choice([1, MINUTE, random.choice([HOUR, 2 * DAY, 40 * DAY])], number)
    pace = random.choice([10, 900, 20 * MINUTE])
    times = 40 * DAY + np.arange(number) * pace - random.integers(0, spans)
    ahead = random.choice([0.0, 0.001, 0.01])
    times = np.where(random.random(number) < ahead, random.integers(0, DECADE, number), times)
    customers = random.choice(["ann", "ann", "ann", "bob", "eve", ""], number).tolist()
    shops = random.integers(0, random.choice([3, 500]), number).tolist()
    return [
        replace(
            transaction(at, int(random.integers(1, 10**6)), customer or None, f"m{shop}" if shop else None),
            currency="USD" if random.random() < 0.95 else "EUR",
        )
        for at, customer, shop in zip(times.tolist(), customers, shops, strict=True)
    ]


def same(one: EntityPart, other: EntityPart) -> None:
    for each in fields(EntityPart):
        mine, yours = getattr(one, each.name), getattr(other, each.name)
        assert mine.dtype == yours.dtype
        assert mine.tobytes() == yours.tobytes(), each.name
        assert mine.shape == yours.shape


batches = st.lists(st.integers(0, 12), max_size=10)


@given(streams, batches)
def test_entities_kept_apart_give_the_features_of_one_state_to_the_bit(
    stream: list[Transaction], sizes: list[int]
) -> None:
    np.testing.assert_array_equal(by_parts(stream, sizes), steadily(stream))


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.data())
def test_wild_entities_kept_apart_give_the_features_of_one_state_to_the_bit(
    seed: int, data: st.DataObject
) -> None:
    stream = wild(seed)
    sizes = data.draw(st.lists(st.sampled_from([1, 7, 10, 100, 400]), max_size=30))
    np.testing.assert_array_equal(by_parts(stream, sizes), steadily(stream))


def test_wild_streams_outgrow_every_bound() -> None:
    bounds = (0, 0, 0)
    for seed in (0, 7):
        state = empty()
        for row in wild(seed):
            observe(state, Batch.of([row]))
            part = state.take("customer", "ann")
            found = (part.sizes.max(), part.tiles.max(), part.kept.max(initial=0))
            bounds = tuple(map(max, bounds, found))
    assert bounds == (ROOM, MOST_TILES, KEPT)


def test_what_is_taken_stays_as_it_was_while_the_state_goes_on() -> None:
    state = empty()
    observe(state, Batch.of([transaction(0, 100, "ann", "shop")]))
    part = state.take("customer", "ann")
    before = encode_part(part)
    observe(state, Batch.of([transaction(0, 300, "ann", "shop"), transaction(1, 100, "ann", "bar")]))
    assert encode_part(part) == before != encode_part(state.take("customer", "ann"))


def test_an_unknown_entity_has_an_empty_part_and_a_known_one_cannot_be_given() -> None:
    state = empty()
    part = state.take("customer", "ann")
    assert part.sizes.tolist() == [0] * len(CUSTOMER.windows)
    assert newest(part) == -1
    state.give("customer", "ann", part)
    check(state)
    with pytest.raises(ValueError, match="known already"):
        state.give("customer", "ann", part)
    same(merge(CUSTOMER, [part, part]), part)


def test_the_newest_event_of_a_part_is_found_though_it_came_early() -> None:
    state = empty()
    observe(state, Batch.of([transaction(at, 100, "ann", "shop") for at in (5, HOUR, 7)]))
    assert newest(state.take("customer", "ann")) == START + HOUR
    observe(state, Batch.of([transaction(DAY, 100, "ann", None)]))
    assert newest(state.take("customer", "ann")) == START + DAY


def test_a_batch_touches_each_entity_once_in_order_of_appearance() -> None:
    rows = [("bob", "shop"), ("ann", None), (None, "shop"), ("bob", "shop"), ("bob", "bar")]
    batch = Batch.of([transaction(at, 100, *row) for at, row in enumerate(rows)])
    found = [(kind, key.replace("\x1f", "+")) for kind, key in touched(layouts(), batch)]
    assert [key for kind, key in found if kind != "customer_merchant"] == ["bob", "ann", "shop", "bar"]
    assert len(found) == len(set(found)) == 6
    assert not touched(layouts(), Batch.of([]))


def dealt(stream: Sequence[Transaction], hands: Sequence[int]) -> list[EntityPart]:
    """What of customer ann each of several writers remembers."""
    parts = []
    for writer in sorted({0, *hands}):
        state = empty()
        observe(state, Batch.of([row for row, hand in zip(stream, hands, strict=True) if hand == writer]))
        parts.append(state.take("customer", "ann"))
    return parts


def of_ann(stream: Sequence[Transaction]) -> list[Transaction]:
    return [replace(row, customer_id="ann") for row in stream]


def next_features(part: EntityPart, row: Transaction) -> np.ndarray:
    state = empty()
    state.give("customer", "ann", part)
    found: np.ndarray = observe(state, Batch.of([row]))[0]
    check(state)
    return found


@given(streams, streams.map(lambda stream: stream[0]), st.data())
def test_an_entity_of_several_writers_is_remembered_as_one_of_a_single_writer(
    stream: list[Transaction], row: Transaction, data: st.DataObject
) -> None:
    stream, row = of_ann(stream), replace(row, customer_id="ann")
    hands = data.draw(st.lists(st.integers(0, 4), min_size=len(stream), max_size=len(stream)))
    together = next_features(merge(CUSTOMER, dealt(stream, hands)), row)[COLUMNS]
    alone = next_features(dealt(stream, [0] * len(stream))[0], row)[COLUMNS]
    exact = ~STD[COLUMNS]
    np.testing.assert_array_equal(together[exact], alone[exact])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-6)


either = st.one_of(streams, st.integers(0, 2**32).map(wild))


@settings(max_examples=40)
@given(either.map(of_ann), st.integers(0, 2**32))
def test_parts_merge_in_any_order_and_one_alone_is_itself(stream: list[Transaction], seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = dealt(stream, random.integers(0, 4, len(stream)).tolist())
    merged = merge(CUSTOMER, parts)
    same(merged, merge(CUSTOMER, [parts[at] for at in random.permutation(len(parts))]))
    same(merge(CUSTOMER, parts[:1]), parts[0])
    halves = merge(CUSTOMER, [merge(CUSTOMER, parts[:2]), *parts[2:]])
    for each in ("sizes", "times", "tiles", "kept", "hashes", "seen"):
        np.testing.assert_array_equal(getattr(halves, each), getattr(merged, each))
    np.testing.assert_allclose(halves.values, merged.values, rtol=1e-9, atol=1e-3)
    later = newest(merged) - START + HOUR  # opens a record and a tile in every chain, and so shortens it
    next_features(merged, transaction(later, 100, "ann", "shop"))


def chain(*records: tuple[int, int, float]) -> EntityPart:
    """A part of one window, of (first, last, amount) newest first; a run is two events of that amount."""
    some = [1.0 + (first < last) for first, last, _ in records]
    rows = [(n, n, n * amount, 0.0, amount, amount) for n, (_, _, amount) in zip(some, records, strict=True)]
    none = np.empty(0, np.int32)
    return EntityPart(
        sizes=np.array([len(records)], np.int32),
        times=np.array([record[:2] for record in records], np.int64).reshape(-1, 2),
        values=np.array(rows, np.float64).reshape(-1, 6),
        tiles=none,
        kept=none,
        hashes=none.astype(np.int64),
        seen=none.astype(np.int64),
    )


COUNTS = Layout("customer", ("customer_id",), (feature("customer", "count_1h", ENTITIES),), DAY)


def test_records_of_several_writers_that_overlap_become_one_run() -> None:
    #   one      95    [80 ─────── 60]           40   [20 ─ 10]
    #   other    95          70         [55─50]       [20]
    #   third                   65               40       [10 ─ 5]
    #   together 95    [80 ─────── 60]  [55─50]  40   [20 ───── 5]
    one = chain((95, 95, 100), (60, 80, 100), (40, 40, 100), (10, 20, 100))
    other = chain((95, 95, 200), (70, 70, 400), (50, 55, 200), (20, 20, 100))
    third = chain((65, 65, 100), (40, 40, 700), (5, 10, 400))
    merged = merge(COUNTS, [third, one, other])
    assert merged.times.tolist() == [[95, 95], [60, 80], [50, 55], [40, 40], [5, 20]]
    assert merged.values.tolist() == [
        [2, 2, 300, 5_000, 100, 200],
        [4, 4, 700, 67_500, 100, 400],
        [2, 2, 400, 0, 200, 200],
        [2, 2, 800, 180_000, 100, 700],
        [5, 5, 1_100, 108_000, 100, 400],
    ]


@given(st.permutations([0.1, 0.7, 1e16, 3.0, 2.0**53 + 2]))
def test_even_sums_that_are_not_exact_do_not_depend_on_the_order_of_writers(amounts: list[float]) -> None:
    same(
        merge(COUNTS, [chain((5, 5, amount)) for amount in amounts]),
        merge(COUNTS, [chain((5, 5, amount)) for amount in sorted(amounts)]),
    )


def test_the_merge_of_busy_writers_counts_what_one_writer_counts() -> None:
    seconds = range(3 * 3600)
    stream = [transaction(at * 1000, 100 + at % 7, "ann", f"m{at % 50}") for at in seconds]
    hands = np.random.default_rng(1).integers(0, 8, len(stream)).tolist()
    merged, row = merge(CUSTOMER, dealt(stream, hands)), transaction(3 * HOUR, 100, "ann", "shop")
    together, alone = next_features(merged, row)[COLUMNS], steadily([*stream, row])[-1, COLUMNS]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_equal_amounts_of_several_writers_have_no_deviation() -> None:
    stream = [transaction(second // 3 * 1000, 1_234_567_890, "ann", "shop") for second in range(2_000)]
    merged = merge(CUSTOMER, dealt(stream, [at % 5 for at in range(len(stream))]))
    found = next_features(merged, transaction(HOUR, 100, "ann", "shop"))
    np.testing.assert_array_equal(found[STD & COLUMNS], [np.nan, 0.0, 0.0])
