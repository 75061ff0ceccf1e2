"""What the chains hold: sound records after any stream, bounded, and not emptied by a wrong clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shroff.core.chains import NONE, POINTS, ROOM, Chains, _room, tiles_of
from shroff.core.columns import Batch
from shroff.core.distincts import KEPT, MOST_TILES, Distincts
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.test_windows import DAY, HOUR, MINUTE, layouts, names, streams, transaction

DECADE = 3_652 * DAY


def observed(*parts: Sequence[Transaction], lateness: int = DAY) -> tuple[State, np.ndarray]:
    state = State.empty(layouts(lateness), "USD", {})
    return state, np.vstack([observe(state, Batch.of(part)) for part in parts])


def followed(at: int, links: np.ndarray) -> list[int]:
    found = []
    while at != NONE:
        found.append(int(at))
        at = links[at]
        assert len(found) <= len(links), "a chain that runs in a circle"
    return found


def check_chains(chains: Chains) -> None:
    met = []
    for kind, head in enumerate(chains.ends[1:].tolist()):
        freed = followed(head, chains.times[:, 0])
        met += [record for block in freed for record in range(block, block + _room(kind))]
    for (slot, window), block in np.ndenumerate(chains.blocks):
        size = chains.sizes[slot, window]
        if block == NONE:
            assert size == 0
            continue
        met += range(block, block + _room(int(chains.kinds[slot, window])))
        assert size <= min(ROOM, _room(int(chains.kinds[slot, window])))
        records = chains.span(slot, window)
        times, tile = chains.times[records], tiles_of(chains.lengths)[window]
        assert (times[:, 0] <= times[:, 1]).all()
        assert (times[:-1, 1] < times[1:, 0]).all(), "oldest first, and no two share an instant"
        runs = times[:, 0] < times[:, 1]
        assert (times[runs, 0] // tile == times[runs, 1] // tile).all(), "a run lies within one tile"
        assert not runs[-POINTS + 1 :].any(), "the newest are points"
        assert (chains.values[records, 0] >= 1).all()
    assert sorted(met) == list(range(chains.ends[0])), "every record is in one block, in use or free"


def check_distincts(distincts: Distincts) -> None:
    used, free = int(distincts.ends[0]), followed(distincts.ends[1], distincts.across)
    met = list(free)
    for (slot, column), head in np.ndenumerate(distincts.heads):
        tiles = followed(head, distincts.down)
        assert len(tiles) == distincts.sizes[slot, column] <= MOST_TILES
        tile = tiles_of(distincts.lengths)[column]
        numbers = distincts.times[tiles] // tile
        assert (np.diff(numbers) < 0).all(), "newest first"
        for first, number in zip(tiles, numbers, strict=True):
            values = followed(first, distincts.across)
            met += values
            assert len(values) <= KEPT
            assert (np.diff(distincts.hashes[values]) > 0).all(), "smallest first, each once"
            assert (distincts.times[values] // tile == number).all()
    assert sorted(met) == list(range(used)), "every record is in one tile, or free"


def check(state: State) -> None:
    for entity in state.entities.values():
        check_chains(entity.chains)
        check_distincts(entity.distincts)


@given(st.lists(streams, min_size=1, max_size=3), st.sampled_from([0, MINUTE, DAY]))
def test_after_any_stream_every_record_is_in_one_block_or_free(
    parts: list[list[Transaction]], lateness: int
) -> None:
    check(observed(*parts, lateness=lateness)[0])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lateness", [0, DAY])
def test_after_a_dense_disordered_stream_every_record_is_in_one_block_or_free(
    seed: int, lateness: int
) -> None:
    random = np.random.default_rng(seed)
    spans = random.choice([MINUTE, HOUR, 2 * DAY, 40 * DAY], 3_000)
    wild = random.random(3_000) < 0.02
    times = np.where(
        wild, random.integers(0, DECADE, 3_000), random.integers(0, spans) + np.arange(3_000) * 900
    )
    stream = [
        transaction(int(at), int(random.integers(1, 10**6)), "ann", f"m{int(shop)}")
        for at, shop in zip(times, random.integers(0, 500, 3_000), strict=True)
    ]
    state, _ = observed(stream[:1_000], stream[1_000:], lateness=lateness)
    check(state)
    assert state.entities["customer"].chains.sizes.max() > POINTS, "dense enough to be merged"


@pytest.mark.parametrize("late", [1, MINUTE, 20 * MINUTE, 59 * MINUTE])
def test_a_dense_entity_s_transaction_up_to_a_window_late_meets_the_whole_window(late: int) -> None:
    dense = [transaction(second * 1000, 100, "ann", f"m{second % 40}") for second in range(4 * 3600)]
    at = 4 * HOUR - 1000 - late
    _, features = observed(dense, [transaction(at + 1, 100, "ann", "shop")])
    count = features[-1, names().index("customer.count_1h")]
    # A second apart: 3,600 in the window, up to 60 more in its last tile, up to 60 fewer in its first.
    assert 3_540 <= count <= 3_661
    assert features[-1, names().index("customer.merchant_distinct_1h")] == 40


@pytest.mark.parametrize("wild", [1, 2, 3])
def test_a_few_transactions_from_the_future_do_not_empty_the_windows(wild: int) -> None:
    steady = [transaction(second * 5_000, 100, "ann", f"m{second % 30}") for second in range(3_000)]
    future = [transaction(DECADE + number * DAY, 100, "ann", "shop") for number in range(wild)]
    calm, disturbed = observed(steady)[1], observed(steady[:1500], future, steady[1500:])[1]
    for name in ("customer.count_1h", "customer.merchant_distinct_1h", "customer.amount_sum_1d"):
        column = names().index(name)
        np.testing.assert_array_equal(disturbed[1500 + wild :, column], calm[1500:, column])


def test_the_deviation_of_equal_amounts_is_zero_however_large_and_many() -> None:
    stream = [transaction(second * 1000, 123_456_789_012_345, "ann", "shop") for second in range(2_000)]
    deviations = observed(stream)[1][2:, names().index("customer.amount_std_1h")]
    np.testing.assert_array_equal(deviations, 0.0)
