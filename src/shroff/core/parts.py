"""What is remembered of one entity, as a value: taken out of a state, given to another, several made one.

A part lists an entity's chains window after window and its distinct counts column after column, each newest
first, as the state links them. A state into which it is given goes on as the one it was taken from would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shroff.core.chains import (
    FIRST,
    HIGH,
    LAST,
    LOW,
    NONE,
    PRICED,
    SPREAD,
    TOTAL,
    Chains,
    grown,
    tiles_of,
)
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.distincts import KEPT, Distincts
from shroff.core.features import Layout

_USED = 0  # the cell of `ends` with the first never used record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntityPart:
    """All that is remembered of one entity, or what one of several writers remembers of it."""

    sizes: Array
    """[windows] int32: records of each chain."""
    times: Array
    """[records, 2] int64, as in `Chains`."""
    values: Array
    """[records, 6] float64, as in `Chains`."""
    tiles: Array
    """[columns] int32: tiles of each distinct count."""
    kept: Array
    """[all tiles] int32: hashes of each tile."""
    hashes: Array
    """[all hashes] int64, smallest first within a tile."""
    seen: Array
    """[all hashes] int64: when each was first seen."""


def newest(part: EntityPart) -> int:
    """The time of the newest event that a part remembers, -1 without any."""
    return max(int(part.times[:, LAST].max(initial=NONE)), int(part.seen.max(initial=NONE)))


def touched(layouts: Sequence[Layout], batch: Batch) -> list[tuple[str, str]]:
    """Each (kind of entity, key) that a batch is about, once, kind by kind in order of appearance."""
    pairs = ((layout.entity, key) for layout in layouts for key in batch.keys(layout.fields))
    return list(dict.fromkeys((entity, key) for entity, key in pairs if key is not None))


def take(chains: Chains, distincts: Distincts, slot: int) -> EntityPart:
    """Copy what is remembered in one row; a negative row has nothing."""
    sizes, records = np.zeros(len(chains.lengths), np.int32), np.empty(0, np.int64)
    tiles, kept, values = np.zeros(len(distincts.lengths), np.int32), list[int](), list[int]()
    if slot >= 0:
        sizes[:], tiles[:] = chains.sizes[slot], distincts.sizes[slot]
        spans = [chains.span(slot, window) for window in range(len(sizes))]
        records = np.concatenate([records, *(np.arange(each.start, each.stop)[::-1] for each in spans)])
        for head in distincts.heads[slot].tolist():
            at = head
            while at != NONE:
                before = len(values)
                _follow(at, distincts.across, values)
                kept.append(len(values) - before)
                at = distincts.down.item(at)
    return EntityPart(
        sizes=sizes,
        times=chains.times[records],
        values=chains.values[records],
        tiles=tiles,
        kept=np.array(kept, np.int32),
        hashes=distincts.hashes[values],
        seen=distincts.times[values],
    )


def _follow(at: int, links: Array, found: list[int]) -> None:
    """Append a record and all that it links to."""
    following = links.item
    while at != NONE:
        found.append(at)
        at = following(at)


def give(chains: Chains, distincts: Distincts, slot: int, part: EntityPart) -> None:
    """Remember a part in a row that holds nothing."""
    if len(part.sizes):
        _give_chains(chains, slot, part)
    if len(part.tiles):
        _give_distincts(distincts, slot, part)


def _give_chains(chains: Chains, slot: int, part: EntityPart) -> None:
    """Put the records of each chain in a block."""
    chains.make_room(slot + 1)
    stops = np.cumsum(part.sizes)
    for window, (stop, size) in enumerate(zip(stops.tolist(), part.sizes.tolist(), strict=True)):
        newest_first = slice(stop - size, stop)
        chains.put(slot, window, part.times[newest_first][::-1], part.values[newest_first][::-1])


def _give_distincts(distincts: Distincts, slot: int, part: EntityPart) -> None:
    """Link the hashes of each tile, and the tiles of each distinct count."""
    start = _room_for_hashes(distincts, slot, len(part.hashes))
    end, stops = start + len(part.hashes), start + np.cumsum(part.kept)
    distincts.hashes[start:end], distincts.times[start:end] = part.hashes, part.seen
    distincts.across[start:end] = np.arange(start + 1, end + 1)
    distincts.across[stops - 1] = NONE
    firsts, last = np.append(stops - part.kept, NONE), np.cumsum(part.tiles)
    filled = part.tiles > 0
    distincts.down[firsts[:-1]] = firsts[1:]
    distincts.down[firsts[last[filled] - 1]] = NONE
    distincts.sizes[slot] = part.tiles
    distincts.heads[slot] = np.where(filled, firsts[last - part.tiles], NONE)


def _room_for_hashes(distincts: Distincts, slot: int, more: int) -> int:
    """Make room in the arena of hashes; returns where it begins."""
    distincts.heads = grown(distincts.heads, slot + 1, NONE)
    distincts.sizes = grown(distincts.sizes, slot + 1, 0)
    start = int(distincts.ends[_USED])
    distincts.ends[_USED] = needed = start + more
    distincts.hashes, distincts.times = grown(distincts.hashes, needed), grown(distincts.times, needed)
    distincts.across = grown(distincts.across, needed, NONE)
    distincts.down = grown(distincts.down, needed, NONE)
    return start


def merge(layout: Layout, parts: Sequence[EntityPart]) -> EntityPart:
    """What several parts of one entity remember together, in whatever order they are named.

    Records that overlap become one run, so a chain stays sound; it may be longer than one state lets it
    become, and is shortened by the next event that it meets.
    """
    chains = [_chain(parts, window) for window in range(len(layout.windows))]
    lengths = np.array([window for _, window in layout.distincts], np.int64)
    counts = [_distinct(parts, column, tile) for column, tile in enumerate(tiles_of(lengths).tolist())]
    none = np.empty(0, np.int64)
    return EntityPart(
        sizes=np.array([len(times) for times, _ in chains], np.int32),
        times=np.concatenate([np.empty((0, 2), np.int64), *(times for times, _ in chains)]),
        values=np.concatenate([np.empty((0, 6)), *(values for _, values in chains)]),
        tiles=np.array([len(kept) for kept, _, _ in counts], np.int32),
        kept=np.concatenate([none, *(kept for kept, _, _ in counts)]).astype(np.int32),
        hashes=np.concatenate([none, *(hashes for _, hashes, _ in counts)]),
        seen=np.concatenate([none, *(seen for _, _, seen in counts)]),
    )


def _chain(parts: Sequence[EntityPart], window: int) -> tuple[Array, Array]:
    """The records of one window in all parts, newest first, those that overlap joined."""
    spans = [(part, slice(part.sizes[:window].sum(), part.sizes[: window + 1].sum())) for part in parts]
    times = np.concatenate([part.times[span] for part, span in spans])
    values = np.concatenate([part.values[span] for part, span in spans])
    if not len(times):
        return times, values
    # By every column, so that sums do not depend on the order of the parts.
    order = np.lexsort((*values.T, times[:, LAST], times[:, FIRST]))
    times, values = times[order], values[order]
    apart = times[1:, FIRST] > np.maximum.accumulate(times[:-1, LAST])
    starts = np.append(0, np.flatnonzero(apart) + 1)
    joined = np.stack([times[starts, FIRST], np.maximum.reduceat(times[:, LAST], starts)], axis=1)
    return joined[::-1], _joined(values, starts)[::-1]


def _joined(values: Array, starts: Array) -> Array:
    """The records from each start up to the next as one; what stands alone stays as it is."""
    groups = np.diff(starts, append=len(values))
    found = np.add.reduceat(values, starts)
    found[:, LOW] = np.minimum.reduceat(values[:, LOW], starts)
    found[:, HIGH] = np.maximum.reduceat(values[:, HIGH], starts)
    # Squared deviations about a common mean, the way of Chan et al. 1979.
    priced = values[:, PRICED]
    means = np.divide(values[:, TOTAL], priced, out=np.zeros(len(values)), where=priced > 0)
    common = np.divide(
        found[:, TOTAL], found[:, PRICED], out=np.zeros(len(found)), where=found[:, PRICED] > 0
    )
    off = means - np.repeat(common, groups)
    found[:, SPREAD] = np.add.reduceat(values[:, SPREAD] + priced * off * off, starts)
    alone = groups == 1
    found[alone] = values[starts[alone]]
    return found


def _distinct(parts: Sequence[EntityPart], column: int, tile: int) -> tuple[Array, Array, Array]:
    """One distinct count of all parts: (hashes a tile, hashes, first seen), the smallest of each tile."""
    found = [_hashes(part, column) for part in parts]
    hashes, seen = (np.concatenate(each) for each in zip(*found, strict=True))
    number = seen // tile
    order = np.lexsort((seen, hashes, -number))
    hashes, seen, number = hashes[order], seen[order], number[order]
    first = np.ones(len(hashes), bool)
    first[1:] = (hashes[1:] != hashes[:-1]) | (number[1:] != number[:-1])
    hashes, seen, number = hashes[first], seen[first], number[first]
    opens = np.ones(len(hashes), bool)
    opens[1:] = number[1:] != number[:-1]
    starts = np.flatnonzero(opens)
    each = np.diff(starts, append=len(hashes))
    smallest = np.arange(len(hashes)) - np.repeat(starts, each) < KEPT
    return np.minimum(each, KEPT), hashes[smallest], seen[smallest]


def _hashes(part: EntityPart, column: int) -> tuple[Array, Array]:
    """The hashes of one column and when they were first seen, of all its tiles."""
    before = part.tiles[:column].sum()
    start = part.kept[:before].sum()
    span = slice(start, start + part.kept[before : before + part.tiles[column]].sum())
    return part.hashes[span], part.seen[span]
