"""Features of place against a brute-force oracle that keeps every transaction and measures by haversines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shroff.codec import decode_part, encode_part
from shroff.core.columns import Batch
from shroff.core.densest import densest
from shroff.core.features import PLACE_OPERATIONS, Feature, Layout, feature
from shroff.core.labels import Labelled, learn
from shroff.core.observe import observe
from shroff.core.parts import merge
from shroff.core.places import FASTEST, RADIUS, points
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_parts import same
from tests.core.test_window_memory import check
from tests.core.test_windows import DAY, ENTITIES, HOUR, MINUTE, interpreted, offsets, transaction

WINDOWS = ("5m", "1h", "1d")
NAMES = [f"{operation}_{window}" for operation in PLACE_OPERATIONS for window in WINDOWS]
PLAIN = ["count_1h", "amount_sum_1d", "amount_rank_1d", "fraud_count_1d", "fraud_run_5m"]


def layout(*names: str) -> Layout:
    return Layout("customer", ("customer_id",), tuple(feature("customer", n, ENTITIES) for n in names), DAY)


PLACED = layout(*NAMES)
DUBAI, LONDON, PARIS = (25.2, 55.3), (51.5074, -0.1278), (48.8566, 2.3522)


def here(at: int, where: tuple[float | None, float | None], customer: str | None = "ann") -> Transaction:
    return replace(transaction(at, 100, customer, "shop"), latitude=where[0], longitude=where[1])


latitudes = st.one_of(st.floats(-90, 90), st.sampled_from([90.0, -90.0, 0.0, 60.0, 51.5]))
longitudes = st.one_of(st.floats(-180, 180), st.sampled_from([180.0, -180.0, 179.999, -179.999, 0.0]))
town = st.tuples(st.floats(51.4, 51.6), st.floats(-0.2, 0.2))
wheres = st.one_of(
    st.tuples(latitudes, longitudes),
    town,
    st.sampled_from([LONDON, PARIS, (None, None), (None, 3.0), (3.0, None)]),
)
customers = st.sampled_from(["ann", "ann", "bob", None])
streams = st.lists(st.builds(here, offsets, wheres, customers), min_size=1, max_size=40)


def run(stream: Sequence[Transaction], cuts: Sequence[int] = (), one: Layout = PLACED) -> np.ndarray:
    state, edges = State.empty([one], "USD", {}), [0, *sorted(cuts), len(stream)]
    return np.vstack([observe(state, Batch.of(stream[a:b])) for a, b in pairwise(edges)])


def haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    north, more = math.radians(one[0]), math.radians(other[0])
    east = math.radians(other[1] - one[1])
    half = math.sin((more - north) / 2) ** 2 + math.cos(north) * math.cos(more) * math.sin(east / 2) ** 2
    return 2 * RADIUS / 1000 * math.asin(math.sqrt(min(1.0, half)))


def middle(places: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The place in the mean direction, None where there is none to speak of."""
    x = sum(math.cos(math.radians(a)) * math.cos(math.radians(b)) for a, b in places) / len(places)
    y = sum(math.cos(math.radians(a)) * math.sin(math.radians(b)) for a, b in places) / len(places)
    z = sum(math.sin(math.radians(a)) for a, _ in places) / len(places)
    if math.hypot(x, y, z) < 0.002:
        return None
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def oracle(stream: Sequence[Transaction]) -> np.ndarray:
    """Each row's features in kilometres and km/h; inf where they depend on rounding, so nothing is said."""
    return np.array(
        [[answer(stream[:at], row, each) for each in PLACED.features] for at, row in enumerate(stream)]
    )


def answer(before: Sequence[Transaction], this: Transaction, each: Feature) -> float:
    tile = max(1, each.window // 60)
    floor, now = (this.occurred_at - each.window) // tile * tile, place(this)
    seen = [
        (row.occurred_at, there)
        for row in before
        if row.customer_id == this.customer_id
        and floor <= row.occurred_at <= this.occurred_at
        and (there := place(row)) is not None
    ]
    if not seen or this.customer_id is None or now is None:
        return math.nan
    newest = max(at for at, _ in seen)
    found = middle([there for at, there in seen if each.operation == "distance_usual" or at == newest])
    if found is None:
        return math.inf
    kilometres = haversine(found, now)
    if each.operation != "speed":
        return kilometres
    hours = (this.occurred_at - newest) / HOUR
    if hours == 0.0:
        return math.inf if kilometres < 0.01 else FASTEST
    return min(kilometres / hours, FASTEST)


def place(row: Transaction) -> tuple[float, float] | None:
    return None if row.latitude is None or row.longitude is None else (row.latitude, row.longitude)


@given(streams)
def test_distances_and_speeds_are_those_of_haversines(stream: list[Transaction]) -> None:
    found, expected = run(stream), oracle(stream)
    told = ~np.isinf(expected)
    speeds = np.array(["speed" in name for name in NAMES]) & told
    # A place is known to the metre, also where it is the mean of places that all but cancel out.
    np.testing.assert_allclose(
        np.where(told & ~speeds, found, 0.0), np.where(told & ~speeds, expected, 0.0), rtol=0, atol=0.5
    )
    times = [row.occurred_at for row in stream]
    for row, column in zip(*np.nonzero(speeds), strict=True):
        same_sort = (found[row, column], expected[row, column])
        assert np.isnan(same_sort[0]) == np.isnan(same_sort[1])
        if np.isnan(same_sort[0]):
            continue
        gaps = [times[row] - time for time in times[:row] if times[row] > time]
        loose = 0.003 * HOUR / min(gaps) if gaps else 0.0
        assert same_sort[0] == pytest.approx(same_sort[1], rel=1e-6, abs=loose + 1e-6)


@given(streams, st.lists(st.integers(0, 40), max_size=5))
def test_any_split_of_a_stream_gives_the_same_places_to_the_bit(
    stream: list[Transaction], cuts: list[int]
) -> None:
    cuts = [min(cut, len(stream)) for cut in cuts]
    np.testing.assert_array_equal(run(stream, cuts), run(stream))


@given(streams)
def test_compiled_and_interpreted_kernels_agree_on_places_to_the_bit(stream: list[Transaction]) -> None:
    compiled = run(stream)
    with interpreted():
        np.testing.assert_array_equal(run(stream), compiled)


@settings(max_examples=40)
@given(streams)
def test_what_is_asked_of_places_changes_nothing_else(stream: list[Transaction]) -> None:
    both = taught(stream, layout(*PLAIN[:2], *NAMES, *PLAIN[2:]))
    np.testing.assert_array_equal(both[:, [0, 1, -3, -2, -1]], taught(stream, layout(*PLAIN)))
    np.testing.assert_array_equal(both[:, 2:-3], run(stream))


def taught(stream: Sequence[Transaction], one: Layout) -> np.ndarray:
    """The features of a stream whose first half turns out, in the middle, to be fraud every other time."""
    state, half = State.empty([one], "USD", {}), len(stream) // 2
    first, rest = Batch.of(stream[:half]), Batch.of(stream[half:])
    before = observe(state, first)
    known_at = np.full(half, stream[0].occurred_at, np.int64)
    learn(state, Labelled(batch=first, fraud=np.arange(half) % 2 == 0, known_at=known_at))
    return np.vstack([before, observe(state, rest)])


def busy(number: int = 2_000, seed: int = 3) -> list[Transaction]:
    """A customer between two towns, every few seconds, disordered, now and then without a place."""
    random = np.random.default_rng(seed)
    times = np.arange(number) * 9_000 - random.integers(0, 5 * MINUTE, number) + HOUR
    return [
        here(int(at), (None, None) if random.random() < 0.1 else (51.5 + random.random(), 179.5 + side))
        for at, side in zip(times, random.choice([0.0, 0.5, -359.0], number), strict=True)
    ]


@settings(max_examples=40)
@given(st.one_of(streams, st.integers(0, 9).map(lambda seed: busy(400, seed))), st.data())
def test_parts_with_places_go_through_bytes_and_merge_to_the_features_of_one(
    stream: list[Transaction], data: st.DataObject
) -> None:
    stream, row = [replace(row, customer_id="ann") for row in stream], here(DAY // 2, LONDON)
    hands = data.draw(st.lists(st.integers(0, 3), min_size=len(stream), max_size=len(stream)))
    parts, whole = [], State.empty([PLACED], "USD", {})
    observe(whole, Batch.of(stream))
    for writer in range(4):
        state = State.empty([PLACED], "USD", {})
        observe(state, Batch.of([row for row, hand in zip(stream, hands, strict=True) if hand == writer]))
        parts.append(decode_part(encode_part(state.take("customer", "ann"))))
        check(state)
    same(merge(PLACED, parts), merge(PLACED, parts[::-1]))
    together = State.empty([PLACED], "USD", {})
    together.give("customer", "ann", merge(PLACED, parts))
    batch = Batch.of([row])
    np.testing.assert_array_equal(observe(together, batch), observe(whole, batch))
    check(together)


def test_a_restored_state_goes_on_from_the_same_places() -> None:
    stream, state, other = busy(), *(State.empty([PLACED], "USD", {}) for _ in range(2))
    observe(state, Batch.of(stream[:1_500]))
    other.restore(state.arrays())
    rest = Batch.of(stream[1_500:])
    np.testing.assert_array_equal(observe(other, rest), observe(state, rest))


def test_a_busy_customer_is_no_heavier_than_the_densest_part_of_its_policy() -> None:
    state, most = State.empty([PLACED], "USD", {}), 0
    for start in range(0, 8_000, 500):
        observe(state, Batch.of(busy(8_000)[start : start + 500]))
        most = max(most, len(encode_part(state.take("customer", "ann"))))
    part = densest(PLACED)
    assert len(part.sizes) == 3 * len(WINDOWS)
    assert 0 < most <= len(encode_part(part))


@pytest.mark.parametrize(
    ("before", "now", "last", "usual"),
    [
        ([LONDON], PARIS, 343.6, 343.6),
        ([(10.0, 179.9), (10.0, -179.9)], (10.0, 180.0), 11.0, 0.0),
        ([(89.9, 0.0), (89.9, 180.0)], (90.0, 77.0), 11.1, 0.0),
        ([(-90.0, 12.0)], (-90.0, -100.0), 0.0, 0.0),
        ([(0.0, 0.0)], (0.0, 180.0), 20_015.1, 20_015.1),
        ([(0.0, 0.0), (0.0, 180.0)], LONDON, 14_287.7, math.nan),
    ],
)  # fmt: skip
def test_the_antimeridian_the_poles_and_the_other_side_are_places_like_any(
    before: list[tuple[float, float]], now: tuple[float, float], last: float, usual: float
) -> None:
    stream = [*(here(at * MINUTE, place) for at, place in enumerate(before)), here(HOUR // 2, now)]
    found = run(stream, one=layout("distance_last_1h", "distance_usual_1h"))[-1]
    np.testing.assert_allclose(found, [last, usual], atol=0.1)


def test_speed_is_missing_where_nobody_moved_in_no_time_and_capped_where_somebody_did() -> None:
    stream = [here(0, LONDON), here(0, LONDON), here(0, PARIS), here(1, DUBAI), here(2 * HOUR, (None, None))]
    stream.append(here(8 * HOUR, DUBAI))
    found = run(stream, one=layout("speed_1d"))[:, 0]
    np.testing.assert_array_equal(found, [np.nan, np.nan, FASTEST, FASTEST, np.nan, 0.0])


def test_coordinates_are_whole_metres_that_no_library_rounds_otherwise() -> None:
    found = points(
        np.array([0.0, 60.0, 90.0, -90.0, 45.0, np.nan]), np.array([180.0, 60.0, 5.0, -7.0, 45.0, 1])
    )
    half, quarter = RADIUS // 2, RADIUS // 4
    np.testing.assert_array_equal(found[:4, 0] - RADIUS, [-RADIUS, quarter, 0, 0])
    np.testing.assert_array_equal(found[:4, 2] - RADIUS, [0, round(RADIUS * 0.75**0.5), RADIUS, -RADIUS])
    np.testing.assert_array_equal(found[4, :2] - RADIUS, [half, half])
    assert np.isnan(found[5]).all()


@given(latitudes, longitudes)
def test_points_are_those_of_sines_to_the_metre(latitude: float, longitude: float) -> None:
    north, east = math.radians(latitude), math.radians(longitude)
    exact = (math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north))
    found = points(np.array([latitude]), np.array([longitude]))[0] - RADIUS
    np.testing.assert_allclose(found, RADIUS * np.array(exact), atol=0.5 + 1e-6, rtol=0)


def test_a_policy_that_asks_for_no_places_keeps_no_more_than_before() -> None:
    state, one = State.empty([layout(*PLAIN)], "USD", {}), layout(*PLAIN)
    observe(state, Batch.of(busy(50)))
    assert one.places == ()
    assert one.windows == one.payments + one.known + one.runs
    assert len(state.take("customer", "ann").sizes) == len(one.windows) == 4
