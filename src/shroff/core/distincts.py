"""How many different values an entity met in a window, in bounded memory.

Each tile keeps the `KEPT` smallest hashes of the values seen in it, with the time each was first seen; the
union of a window's tiles keeps the `KEPT` smallest again. Below `KEPT` different values the answer is exact,
above it is an estimate with a standard error of about 1/sqrt(KEPT - 2), 13 % (Bar-Yossef et al. 2002, "k
minimum values"). Smallest-of-the-union does not depend on the order of merging, so late arrivals and batches
change nothing. What is let go, and when, is as in `chains`.

A chain is a list of tiles, newest first, each a list of hashes, smallest first::

    tile 12:04 ─ 0x02 ─ 0x5f ─ 0xc1
       │
    tile 12:01 ─ 0x02 ─ 0x80

The union of all tiles before the newest changes only when the next begins. Where it is large it is
remembered: an event of a busy entity looks at one tile and not at sixty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.chains import LET_GO_EVERY, NONE, SPARED, grown, tiles_of, turns_of
from shroff.core.compiled import Array, compiled

KEPT = 64
MOST_TILES = 160
"""Tiles of a chain before the oldest are let go."""
LEAVES = 144
"""Tiles that are left then: more than a window has, twice over, so that only older ones go."""
MANY = 16
"""Different values from which on the union of all tiles but the newest is remembered."""
_SPAN = float(2**63)  # hashes are in [1, 2**63); 0 stands for a missing value
_USED, _FREE = 0, 1  # cells of `ends`, as in `chains`
_FOR, _FLOOR, _FILLED = 0, 1, 2  # columns of `Unions.known`


@compiled
def _release(at: int, across: Array, ends: Array) -> None:
    """Free a record and all that stand across from it."""
    while at != NONE:
        following = across[at]
        across[at] = ends[_FREE]
        ends[_FREE] = at
        at = following


@compiled
def _take(across: Array, ends: Array) -> int:
    """A free record."""
    new: int = ends[_FREE]
    if new != NONE:
        ends[_FREE] = across[new]
    else:
        new = ends[_USED]
        ends[_USED] += 1
    return new


@compiled
def _offer(value: int, best: Array, filled: int) -> int:
    """Insert a hash into the sorted smallest so far, unless it is there. Returns how many there are."""
    place = filled
    while place > 0 and best[place - 1] >= value:
        place -= 1
    if place == KEPT or (place < filled and best[place] == value):
        return filled
    for at in range(min(filled, KEPT - 1), place, -1):
        best[at] = best[at - 1]
    best[place] = value
    return min(filled + 1, KEPT)


@compiled
def _gather(
    time: int, floor: int, at: int, filled: int,
    hashes: Array, times: Array, across: Array, down: Array, best: Array,
) -> int:  # fmt: skip
    """Offer what was seen up to `time` in the tiles from record `at` back to `floor`; how many that makes."""
    while at != NONE and times[at] >= floor:
        value = at
        while value != NONE and (filled < KEPT or hashes[value] < best[KEPT - 1]):
            if times[value] <= time:
                filled = _offer(hashes[value], best, filled)
            value = across[value]
        at = down[at]
    return filled


@compiled
def _recall(
    time: int, start: int, floor: int, at: int, union: Array, smallest: Array,
    hashes: Array, times: Array, across: Array, down: Array, best: Array,
) -> int:  # fmt: skip
    """As `_gather` where the tile of `start` is the newest: what came before it is looked through once."""
    older = at if at == NONE or times[at] < start else down[at]
    # Where a window is no whole number of tiles, its end moves on within the newest tile.
    if union[_FOR] == start and union[_FLOOR] == floor:
        filled = union[_FILLED]
        best[:filled] = smallest[:filled]
    else:
        filled = _gather(time, floor, older, 0, hashes, times, across, down, best)
        union[_FOR], union[_FLOOR], union[_FILLED] = start, floor, filled
        smallest[:filled] = best[:filled]
    return _gather(time, start, at, filled, hashes, times, across, down, best)


@compiled
def _estimate(filled: int, best: Array) -> float:
    """How many different values there are, of which these are the smallest."""
    if filled < KEPT:
        return float(filled)
    return float(np.rint((KEPT - 1) * (_SPAN / best[KEPT - 1])))


@compiled
def _trim(at: int, position: int, across: Array, ends: Array) -> None:
    """Keep the smallest hashes of a tile: what stands past the last place goes."""
    while across[at] != NONE and position < KEPT - 1:
        at, position = across[at], position + 1
    if across[at] != NONE:
        _release(across[at], across, ends)
        across[at] = NONE


@compiled
def _insert(
    time: int, value: int, start: int, above: int, at: int,
    hashes: Array, times: Array, across: Array, down: Array, ends: Array,
) -> tuple[int, bool]:  # fmt: skip
    """Add a value to the tile that starts at `start`, which is that of record `at` or comes before it.

    Returns the tile's first record, and whether the tile is new.
    """
    opens = at == NONE or times[at] < start
    left, right, position = NONE, NONE if opens else at, 0
    while right != NONE and hashes[right] < value:
        left, right, position = right, across[right], position + 1
    if right != NONE and hashes[right] == value:
        times[right] = min(times[right], time)
        return at, False
    if position == KEPT:
        return at, False
    new = _take(across, ends)
    hashes[new], times[new], across[new], down[new] = value, time, right, NONE
    _trim(new, position, across, ends)
    if left != NONE:
        across[left] = new
        return at, False
    down[new] = at if opens else down[at]
    if above != NONE:
        down[above] = new
    return new, opens


@compiled
def _let_go(
    time: int, length: int, tile: int, lateness: int, size: int, at: int,
    times: Array, across: Array, down: Array, ends: Array,
) -> int:  # fmt: skip
    """Drop the tiles that are too old. Returns how many went."""
    for _ in range(SPARED - 1):
        at = down[at]
    if size > MOST_TILES:
        for _ in range(LEAVES - SPARED):
            at = down[at]
    else:
        oldest = (min(time, times[at]) - length - lateness) // tile * tile
        while down[at] != NONE and times[down[at]] >= oldest:
            at = down[at]
    dropped, gone = down[at], 0
    down[at] = NONE
    while dropped != NONE:
        following = down[dropped]
        _release(dropped, across, ends)
        dropped, gone = following, gone + 1
    return gone


@compiled
def _step(
    time: int, value: int, length: int, tile: int, lateness: int, slot: int, column: int,
    heads: Array, sizes: Array, hashes: Array, times: Array, across: Array, down: Array, ends: Array,
    place: int, known: Array, smallest: Array, best: Array,
) -> float:  # fmt: skip
    """Answer one distinct count for one event, then add the event's value."""
    start, floor = time // tile * tile, (time - length) // tile * tile
    above, at = NONE, heads[slot, column]
    while at != NONE and times[at] >= start + tile:
        above, at = at, down[at]
    if above == NONE and place != NONE:
        filled = _recall(
            time, start, floor, at, known[place], smallest[place], hashes, times, across, down, best
        )  # fmt: skip
    else:
        if place != NONE:  # what comes late may belong to the union, which is then another
            known[place, _FOR] = NONE
        filled = _gather(time, floor, at, 0, hashes, times, across, down, best)
    if value != 0:
        _keep(
            time, value, start, above, at, length, tile, lateness, slot, column,
            heads, sizes, hashes, times, across, down, ends,
        )  # fmt: skip
    return _estimate(filled, best)


@compiled
def _keep(
    time: int, value: int, start: int, above: int, at: int,
    length: int, tile: int, lateness: int, slot: int, column: int,
    heads: Array, sizes: Array, hashes: Array, times: Array, across: Array, down: Array, ends: Array,
) -> None:  # fmt: skip
    """Add an event's value to its chain, and let go what is too old: never what a union has."""
    place, opens = _insert(time, value, start, above, at, hashes, times, across, down, ends)
    if above == NONE:
        heads[slot, column] = place
    if not opens:
        return
    size = sizes[slot, column] + 1
    if size > MOST_TILES or size % LET_GO_EVERY == 0:
        head = heads[slot, column]
        size -= _let_go(time, length, tile, lateness, size, head, times, across, down, ends)
    sizes[slot, column] = size


@compiled
def _run(
    turns: Array, slots: Array, when: Array, values: Array, lengths: Array, tiles: Array, lateness: int,
    heads: Array, sizes: Array, hashes: Array, times: Array, across: Array, down: Array, ends: Array,
    used: Array, places: Array, known: Array, smallest: Array, out: Array,
) -> None:  # fmt: skip
    best = np.empty(KEPT, np.int64)
    for row in turns:
        slot = slots[row]
        if slot == NONE:
            out[row, :] = np.nan
            continue
        for column in range(len(lengths)):
            place = places[slot, column]
            out[row, column] = _step(
                when[row], values[row, column], lengths[column], tiles[column], lateness, slot, column,
                heads, sizes, hashes, times, across, down, ends, place, known, smallest, best,
            )  # fmt: skip
            if place == NONE and out[row, column] >= MANY:
                places[slot, column] = new = used[0]
                known[new, _FOR], used[0] = NONE, new + 1


@dataclass(slots=True, kw_only=True)
class Unions:
    """Of chains with many values, the smallest hashes of all tiles before the newest.

    They can be found again any time, and are not kept.
    """

    used: Array
    """[1] int64: how many there are."""
    places: Array
    """[entities, columns] int32: which row is the chain's, -1 where it has none."""
    known: Array
    """[unions, 3] int64: where the newest tile began when it was found, or -1; how far back it goes; how many
    hashes it has."""
    smallest: Array
    """[unions, KEPT] int64."""

    @classmethod
    def empty(cls, columns: int) -> Unions:
        """None is remembered."""
        return cls(
            used=np.zeros(1, np.int64),
            places=np.empty((0, columns), np.int32),
            known=np.empty((0, 3), np.int64),
            smallest=np.empty((0, KEPT), np.int64),
        )

    def make_room(self, entities: int, more: int) -> None:
        """Have a row for so many entities, and room for so many more unions."""
        self.places = grown(self.places, entities, NONE)
        needed = int(self.used[0]) + more
        self.known, self.smallest = grown(self.known, needed), grown(self.smallest, needed)


@dataclass(slots=True, kw_only=True)
class Distincts:
    """Distinct counts of one kind of entity: a row of `heads` an entity, a column a (field, window)."""

    lengths: Array
    lateness: int
    heads: Array
    sizes: Array
    hashes: Array
    times: Array
    across: Array
    down: Array
    ends: Array
    unions: Unions

    @classmethod
    def empty(cls, lengths: tuple[int, ...], lateness: int) -> Distincts:
        """Distinct counts of no entity, over windows of these lengths in ms."""
        columns = len(lengths)
        return cls(
            lengths=np.array(lengths, np.int64),
            lateness=lateness,
            heads=np.empty((0, columns), np.int32),
            sizes=np.empty((0, columns), np.int32),
            hashes=np.empty(0, np.int64),
            times=np.empty(0, np.int64),
            across=np.empty(0, np.int32),
            down=np.empty(0, np.int32),
            ends=np.array([0, NONE], np.int64),
            unions=Unions.empty(columns),
        )

    @property
    def used(self) -> int:
        """How many records are in chains, or were."""
        return int(self.ends[_USED])

    def observe(self, slots: Array, when: Array, values: Array, entities: int) -> Array:
        """Distinct values before each event, [n, columns], then add the events' own `values` [n, columns]."""
        columns = len(self.lengths)
        self.heads = grown(self.heads, entities, NONE)
        self.sizes = grown(self.sizes, entities, 0)
        needed = self.used + len(slots) * columns
        self.hashes, self.times = grown(self.hashes, needed), grown(self.times, needed)
        self.across, self.down = grown(self.across, needed, NONE), grown(self.down, needed, NONE)
        self.unions.make_room(entities, min(entities, len(slots)) * columns)
        out = np.empty((len(slots), columns))
        _run(
            turns_of(slots), slots, when, values, self.lengths, tiles_of(self.lengths), self.lateness,
            self.heads, self.sizes, self.hashes, self.times, self.across, self.down, self.ends,
            self.unions.used, self.unions.places, self.unions.known, self.unions.smallest, out,
        )  # fmt: skip
        return out
