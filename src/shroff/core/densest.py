"""The most that can be remembered of an entity: a part made up, to be weighed before a policy is in force."""

from __future__ import annotations

import numpy as np

from shroff.core.chains import (
    COUNT,
    FIRST,
    HIGH,
    LAST,
    LET_GO_EVERY,
    LOW,
    PRICED,
    ROOM,
    SPARED,
    SPREAD,
    TOTAL,
    tiles_of,
)
from shroff.core.compiled import Array
from shroff.core.distincts import KEPT, MOST_TILES
from shroff.core.features import Layout
from shroff.core.parts import EntityPart

_NOW = 1_750_000_000_000
_MOST_EVENTS = 2**16
_LARGEST = 2**30
"""Of an amount in minor units: some million, beyond which a window takes a little more."""


def densest(layout: Layout) -> EntityPart:
    """Every window full of runs, every tile of every distinct count full of values of its own.

    Nothing in it is alike, so it compresses as little as can be. What comes later than the policy's lateness
    may make an entity a little denser still.
    """
    random = np.random.default_rng(0)
    lengths = np.array([length for _, length in layout.distincts], np.int64)
    widths = tiles_of(lengths)
    tiles = _tiles(lengths, widths, layout.lateness)
    chains = [_chain(int(tile), random) for tile in tiles_of(np.array(layout.windows, np.int64))]
    seen = [_seen(number, tile, random) for number, tile in zip(tiles.tolist(), widths.tolist(), strict=True)]
    hashes = random.integers(1, 2**63, (int(tiles.sum()), KEPT))
    return EntityPart(
        sizes=np.full(len(chains), ROOM, np.int32),
        times=np.concatenate([np.empty((0, 2), np.int64), *(times for times, _ in chains)]),
        values=np.concatenate([np.empty((0, 6)), *(values for _, values in chains)]),
        tiles=tiles.astype(np.int32),
        kept=np.full(len(hashes), KEPT, np.int32),
        hashes=np.sort(hashes, axis=1).ravel(),
        seen=np.concatenate([np.empty(0, np.int64), *seen]),
    )


def _tiles(lengths: Array, widths: Array, lateness: int) -> Array:
    """How many tiles each distinct count comes to before it is looked through for what is too old."""
    needed = (lengths + lateness) // widths + 1 + SPARED
    most: Array = np.minimum(MOST_TILES, (needed // LET_GO_EVERY + 1) * LET_GO_EVERY - 1)
    return most


def _chain(tile: int, random: np.random.Generator) -> tuple[Array, Array]:
    """A window's records, newest first: runs of many payments, a tile or so apart."""
    times, values = np.empty((ROOM, 2), np.int64), np.empty((ROOM, 6))
    times[:, FIRST] = _NOW - np.cumsum(random.integers(1, 2 * tile + 1, ROOM))
    times[:, LAST] = times[:, FIRST] + random.integers(0, tile, ROOM)
    values[:, COUNT] = values[:, PRICED] = random.integers(1, _MOST_EVENTS, ROOM)
    values[:, TOTAL] = random.integers(1, _MOST_EVENTS * _LARGEST, ROOM)
    values[:, SPREAD] = random.random(ROOM) * values[:, TOTAL]
    values[:, LOW], values[:, HIGH] = random.integers(1, _LARGEST, (2, ROOM))
    return times, values


def _seen(tiles: int, width: int, random: np.random.Generator) -> Array:
    """When the values of a distinct count were first seen, tile after tile, newest first."""
    starts = _NOW // width * width - np.arange(tiles) * width
    found: Array = (starts[:, None] + random.integers(0, width, (tiles, KEPT))).ravel()
    return found
