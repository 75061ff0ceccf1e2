"""The densest part that a policy allows: no real entity is heavier, and it is not much too heavy."""

from __future__ import annotations

import numpy as np
import pytest

from shroff.codec import decode_part, encode_part
from shroff.core.columns import Batch
from shroff.core.densest import densest
from shroff.core.features import Layout, feature
from shroff.core.observe import observe
from shroff.core.state import State
from shroff.core.transaction import Transaction
from tests.core.samples import DAY, MINUTE, transaction


def layout(*names: str) -> Layout:
    entities = {"customer": ("customer_id",)}
    features = tuple(feature("customer", name, entities) for name in names)
    return Layout("customer", ("customer_id",), features, DAY)


def busy(tile: int, a_tile: int, tiles: int) -> list[Transaction]:
    """So many payments of one customer in each tile, each with a merchant of its own."""
    random = np.random.default_rng(1)
    times = np.sort(np.repeat(np.arange(tiles) * tile, a_tile) + random.integers(0, tile, tiles * a_tile))
    amounts = random.integers(1, 10**9, len(times))
    return [
        transaction(row, int(at), int(amount), customer_id="ann", merchant=f"m{row}")
        for row, (at, amount) in enumerate(zip(times - times[0], amounts, strict=True))
    ]


@pytest.mark.parametrize(
    ("name", "tile", "a_tile", "tiles", "share"),
    [
        ("merchant_distinct_1h", MINUTE, 70, 170, 0.9),
        ("merchant_distinct_1d", 24 * MINUTE, 70, 140, 0.9),
        ("merchant_distinct_30d", 720 * MINUTE, 70, 80, 0.9),
        ("count_1h", MINUTE, 20, 200, 0.6),
        ("count_30d", 720 * MINUTE, 20, 200, 0.4),
    ],
)
def test_a_busy_entity_is_a_little_lighter_at_its_heaviest(
    name: str, tile: int, a_tile: int, tiles: int, share: float
) -> None:
    one = layout(name)
    state, most, stream = State.empty((one,), "USD", {}), 0, busy(tile, a_tile, tiles)
    for start in range(0, len(stream), 90):
        observe(state, Batch.of(stream[start : start + 90]))
        if start > 0.8 * len(stream):
            most = max(most, len(encode_part(state.take("customer", "ann"))))
    weight = len(encode_part(densest(one)))
    assert share * weight < most <= weight


@pytest.mark.parametrize(
    "names", [["count_1s"], ["merchant_distinct_1s"], ["count_400d", "ip_distinct_400d"]]
)
def test_it_is_a_part_that_a_state_goes_on_from(names: list[str]) -> None:
    one = layout(*names)
    part = decode_part(encode_part(densest(one)))
    state = State.empty((one,), "USD", {})
    state.give("customer", "ann", part)
    found = observe(state, Batch.of([transaction(1, 50_000_000_000, customer_id="ann", ip="new")]))
    assert np.isfinite(found).all()
    assert len(encode_part(state.take("customer", "ann"))) <= len(encode_part(part))


def test_it_weighs_the_same_every_time() -> None:
    one = layout("count_1h", "merchant_distinct_1d")
    assert encode_part(densest(one)) == encode_part(densest(one))
