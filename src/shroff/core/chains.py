"""Windows over one kind of entity: chains of tiles, newest first.

A window of length L is cut into tiles of L/60. A chain holds the records of one entity and one window,
each a point (one instant) or a merged run of events *within one tile*::

    newest ── 12:04:31 ── 12:04:29 ── [12:03:00 … 12:03:50] ── [12:01:10 … 12:01:40] ── oldest
              point       point       merged in one tile

Every event starts as a point. When a chain outgrows `ROOM`, all but its newest `POINTS` records are merged
tile by tile, and what lies further back than L is let go. So cost and memory are bounded whatever the traffic,
and a window's head is exact: nothing after the transaction counts, everything observed before it does. Only in
an entity dense enough to have been merged can a late transaction miss events, at most those of its own tile.

The kernels below run compiled where numba is installed and interpreted where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array, compiled

TILES = 60
ROOM = 96
"""Records of a chain before it is merged; merging leaves at most POINTS + TILES + 2."""
POINTS = 16
"""The newest records that merging leaves alone."""

FIRST, LAST = 0, 1  # columns of `times`
COUNT, PRICED, TOTAL, SQUARES, LOW, HIGH = range(6)  # columns of `values`
LATEST = 6  # what a query returns beside the six: the time of the newest event counted, or -1
QUERIED = 7
NONE = -1
_USED, _FREE = 0, 1  # cells of `ends`: the first never used record, the head of the list of freed ones


def tiles_of(lengths: Array) -> Array:
    """The tiles in ms of windows of these lengths: at most a 60th, at least 1 ms."""
    return np.maximum(1, lengths // TILES)


@compiled
def _release(at: int, links: Array, ends: Array) -> None:
    links[at] = ends[_FREE]
    ends[_FREE] = at


@compiled
def _release_from(at: int, links: Array, ends: Array) -> int:
    gone = 0
    while at != NONE:
        following = links[at]
        _release(at, links, ends)
        at, gone = following, gone + 1
    return gone


@compiled
def _add(into: Array, record: Array) -> None:
    for column in range(LOW):
        into[column] += record[column]
    into[LOW] = min(into[LOW], record[LOW])
    into[HIGH] = max(into[HIGH], record[HIGH])


@compiled
def _clear(record: Array) -> None:
    record[:LOW] = 0.0
    record[LOW], record[HIGH] = np.inf, -np.inf


@compiled
def _compact(head: int, length: int, tile: int, times: Array, values: Array, links: Array, ends: Array) -> int:
    """Merge a chain's older records tile by tile; drop what lies before the newest's window. Returns its size."""
    floor = (times[head, LAST] - length) // tile * tile
    size, at = 1, head
    while links[at] != NONE:
        following = links[at]
        if times[following, LAST] < floor:
            _release_from(following, links, ends)
            links[at] = NONE
        elif size >= POINTS and times[following, LAST] // tile == times[at, FIRST] // tile:
            times[at, FIRST] = times[following, FIRST]
            _add(values[at], values[following])
            links[at] = links[following]
            _release(following, links, ends)
        else:
            size, at = size + 1, following
    return size


@compiled
def _open(time: int, before: int, place: int, head: Array, times: Array, values: Array, links: Array, ends: Array) -> int:
    """A new point between two records of a chain."""
    if ends[_FREE] != NONE:
        new = ends[_FREE]
        ends[_FREE] = links[new]
    else:
        new = ends[_USED]
        ends[_USED] += 1
    times[new, FIRST] = times[new, LAST] = time
    _clear(values[new])
    links[new] = place
    if before == NONE:
        head[0] = new
    else:
        links[before] = new
    return new


@compiled
def _step(
    time: int, amount: float, length: int, tile: int, lateness: int, head: Array, size: Array,
    times: Array, values: Array, links: Array, ends: Array, out: Array,
) -> None:  # fmt: skip
    """Answer one window for one event, then add the event to its chain."""
    floor = (time - length) // tile * tile
    before, at = NONE, head[0]
    while at != NONE and times[at, FIRST] > time:
        before, at = at, links[at]
    place, last = at, before
    if at != NONE and times[at, LAST] > time:  # a merged run reaches past this event: it cannot be split
        last, at = at, links[at]

    _clear(out)
    out[LATEST] = times[at, LAST] if at != NONE and times[at, LAST] >= floor else NONE
    while at != NONE and times[at, LAST] >= floor:
        _add(out, values[at])
        last, at = at, links[at]

    # What no transaction within the lateness can ask for any more is let go.
    while at != NONE and times[at, LAST] >= floor - lateness:
        last, at = at, links[at]
    if at != NONE:
        size[0] -= _release_from(at, links, ends)
        if last == NONE:
            head[0] = NONE
        else:
            links[last] = NONE
        if place == at:
            place = NONE

    if place == NONE or times[place, LAST] < time:  # else it is the same instant, or a run around it
        place = _open(time, before, place, head, times, values, links, ends)
        size[0] += 1
    values[place, COUNT] += 1.0
    if amount == amount:  # not NaN
        values[place, PRICED] += 1.0
        values[place, TOTAL] += amount
        values[place, SQUARES] += amount * amount
        values[place, LOW] = min(values[place, LOW], amount)
        values[place, HIGH] = max(values[place, HIGH], amount)
    if size[0] > ROOM:
        size[0] = _compact(head[0], length, tile, times, values, links, ends)


@compiled
def _run(
    slots: Array, when: Array, amounts: Array, lengths: Array, tiles: Array, lateness: int,
    heads: Array, sizes: Array, times: Array, values: Array, links: Array, ends: Array, out: Array,
) -> None:  # fmt: skip
    for row in range(len(slots)):
        slot = slots[row]
        if slot == NONE:
            out[row, :, :] = np.nan
            continue
        for window in range(len(lengths)):
            _step(
                when[row], amounts[row], lengths[window], tiles[window], lateness,
                heads[slot, window : window + 1], sizes[slot, window : window + 1],
                times, values, links, ends, out[row, window],
            )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Chains:
    """All chains of one kind of entity, in columns: a row of `heads` an entity, a column a window.

    Records live in one arena (`times` [m, 2] in ms, `values` [m, 6] in minor units, `links` [m] to the next older).
    Sums are float64 of whole minor units: exact below 2**53, so tiles may merge in any order.
    """

    lengths: Array
    lateness: int
    heads: Array
    sizes: Array
    times: Array
    values: Array
    links: Array
    ends: Array

    @classmethod
    def empty(cls, lengths: tuple[int, ...], lateness: int) -> Chains:
        windows = len(lengths)
        return cls(
            lengths=np.array(lengths, np.int64),
            lateness=lateness,
            heads=np.empty((0, windows), np.int32),
            sizes=np.empty((0, windows), np.int32),
            times=np.empty((0, 2), np.int64),
            values=np.empty((0, 6), np.float64),
            links=np.empty(0, np.int32),
            ends=np.array([0, NONE], np.int64),
        )

    def observe(self, slots: Array, when: Array, amounts: Array, entities: int) -> Array:
        """Windows before each event, [n, windows, 7], then count the events. Slot -1 has no entity: NaN."""
        windows = len(self.lengths)
        self._make_room(entities, len(slots) * windows)
        out = np.empty((len(slots), windows, QUERIED))
        _run(
            slots, when, amounts, self.lengths, tiles_of(self.lengths), self.lateness,
            self.heads, self.sizes, self.times, self.values, self.links, self.ends, out,
        )  # fmt: skip
        return out

    def _make_room(self, entities: int, records: int) -> None:
        self.heads = grown(self.heads, entities, NONE)
        self.sizes = grown(self.sizes, entities, 0)
        needed = int(self.ends[_USED]) + records
        self.times = grown(self.times, needed)
        self.values = grown(self.values, needed)
        self.links = grown(self.links, needed, NONE)


def grown(array: Array, rows: int, fill: int | None = None) -> Array:
    """The array with room for `rows`, doubling so that growing costs little per row."""
    if rows <= len(array):
        return array
    larger = np.empty((max(rows, 2 * len(array), 64), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    if fill is not None:
        larger[len(array) :] = fill
    return larger
