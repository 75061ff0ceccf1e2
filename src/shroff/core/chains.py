"""Windows over one kind of entity: chains of tiles, newest first.

A window of length L is cut into tiles of L/60. A chain holds the records of one entity and one window,
each a point (one instant) or a merged run of events *within one tile*::

    newest ── 12:04:31 ── 12:04:29 ── [12:03:00 … 12:03:50] ── [12:01:10 … 12:01:40] ── oldest
              point       point       merged in one tile

Every event starts as a point, so a window's head is exact: nothing after the transaction counts, everything
observed before it does. When a chain outgrows `ROOM`, its oldest records are merged by tile until
`LEAVES` are left; where that is not enough, the oldest are let go, all of them more than twice the window's
length ago. So cost and memory are bounded whatever the traffic. Only a transaction that is late by more
events of its entity than are points can be counted wrong: by a part of its own tile, or by what was let go.

Times are the payers' clocks, and some of those are wrong. What to let go is therefore measured from some way
behind the newest record: a few transactions from the future do not empty a chain.

Labels that become known have chains of their own beside those of the transactions. In them an event is a
label, and its amount is 1 for a fraud and 0 for what is legitimate: one sort lists labels by when they became
known, the other by when the labelled transactions occurred, for what asks in which order frauds came.

The kernels below run compiled where numba is installed and interpreted where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array, compiled

TILES = 60
ROOM = 192
"""Records of a chain before it is merged."""
LEAVES = 176
"""Records that merging leaves: more than a window has tiles, twice over, so that only older ones can go."""
POINTS = 16
"""The newest records that are never merged."""
SPARED = 4
"""What is too old is measured from this newest record or tile, so one fewer may be from the future."""
LET_GO_EVERY = 8
"""A chain is looked through for what is too old whenever its size comes to a multiple of this."""

FIRST, LAST = 0, 1  # columns of `times`
COUNT, PRICED, TOTAL, SPREAD, LOW, HIGH = range(6)  # columns of `values`; SPREAD: squared deviations
LATEST = 6  # what a query returns beside the six: the time of the newest event counted, or -1
QUERIED = 7
NEWEST, RUN, OLDEST, CLEAN = range(4)
"""What a query for a run of frauds returns instead: the time of the newest fraud, or -1; how many frauds lie
unbroken back from it; the time of the oldest of them, or -1; how much that is legitimate came later."""
NONE = -1
_USED, _FREE = 0, 1  # cells of `ends`: the first never used record, the head of the list of freed ones


def tiles_of(lengths: Array) -> Array:
    """The tiles in ms of windows of these lengths: at most a 60th, at least 1 ms."""
    tiles: Array = np.maximum(1, lengths // TILES)
    return tiles


@compiled
def _release(at: int, links: Array, ends: Array) -> int:
    """Free a record and all that are older. Returns how many went."""
    gone = 0
    while at != NONE:
        following = links[at]
        links[at] = ends[_FREE]
        ends[_FREE] = at
        at, gone = following, gone + 1
    return gone


@compiled
def _merge(into: int, record: int, times: Array, values: Array) -> None:
    """Make one run of a record and the one before it in time."""
    times[into, FIRST] = times[record, FIRST]
    some, more = values[into, PRICED], values[record, PRICED]
    if some > 0.0 and more > 0.0:  # Chan et al. 1979
        apart = values[into, TOTAL] / some - values[record, TOTAL] / more
        values[into, SPREAD] += apart * apart * (some * more / (some + more))
    for column in range(LOW):
        values[into, column] += values[record, column]
    values[into, LOW] = min(values[into, LOW], values[record, LOW])
    values[into, HIGH] = max(values[into, HIGH], values[record, HIGH])


@compiled
def _compact(at: int, tile: int, times: Array, values: Array, links: Array, ends: Array) -> int:
    """Merge a chain within tiles, the oldest first; what is still too much goes. Returns its size."""
    for _ in range(POINTS - 1):
        at = links[at]
    newest, size, pairs = at, POINTS, 0
    while links[at] != NONE:
        pairs += times[links[at], LAST] // tile == times[at, FIRST] // tile
        size, at = size + 1, links[at]
    left_alone, size, at = pairs - (size - LEAVES), POINTS, newest
    while links[at] != NONE:
        following = links[at]
        paired = times[following, LAST] // tile == times[at, FIRST] // tile
        if paired and left_alone <= 0:
            _merge(at, following, times, values)
            links[at], links[following] = links[following], NONE
            _release(following, links, ends)
        elif size == LEAVES:
            _release(following, links, ends)
            links[at] = NONE
        else:
            left_alone -= paired
            size, at = size + 1, following
    return size


@compiled
def _let_go(time: int, reach: int, at: int, times: Array, links: Array, ends: Array) -> int:
    """Release the records that no transaction can ask for any more. Returns how many went."""
    for _ in range(SPARED - 1):
        at = links[at]
    oldest = min(time, times[at, LAST]) - reach
    while links[at] != NONE and times[links[at], LAST] >= oldest:
        at = links[at]
    gone = _release(links[at], links, ends)
    links[at] = NONE
    return gone


@compiled
def _answer(time: int, floor: int, at: int, times: Array, values: Array, links: Array, out: Array) -> None:
    """What the records from `at` back to `floor` come to.

    Deviations are summed up about a value that is near them all, the newest, so that next to nothing cancels.
    """
    latest = times[at, LAST] if at != NONE else NONE
    if (
        latest > time
    ):  # a merged run reaches past this event: it cannot be split, and counts as what most of it is
        if 2 * time < times[at, FIRST] + latest:
            at = links[at]
            latest = times[at, LAST] if at != NONE else NONE
        else:
            latest = times[at, FIRST]
    out[LATEST] = latest if latest >= floor else NONE
    count, priced, total, low, high = 0.0, 0.0, 0.0, np.inf, -np.inf
    near, apart, squares = np.nan, 0.0, 0.0
    while at != NONE and times[at, LAST] >= floor:
        count += values[at, COUNT]
        some = values[at, PRICED]
        if some > 0.0:
            if priced == 0.0:
                near = values[at, TOTAL] / some
            priced += some
            total += values[at, TOTAL]
            off = values[at, TOTAL] - some * near
            apart += off
            squares += values[at, SPREAD] + off * off / some
            low = min(low, values[at, LOW])
            high = max(high, values[at, HIGH])
        at = links[at]
    out[COUNT], out[PRICED], out[TOTAL], out[LOW], out[HIGH] = count, priced, total, low, high
    out[SPREAD] = max(0.0, squares - apart * apart / priced) if priced > 0.0 else 0.0


@compiled
def _open(time: int, place: int, times: Array, values: Array, links: Array, ends: Array) -> int:
    """A new point without events, linked to the record before it in time."""
    new: int = ends[_FREE]
    if new != NONE:
        ends[_FREE] = links[new]
    else:
        new = ends[_USED]
        ends[_USED] += 1
    times[new, FIRST] = times[new, LAST] = time
    values[new, :LOW] = 0.0
    values[new, LOW], values[new, HIGH] = np.inf, -np.inf
    links[new] = place
    return new


@compiled
def _count(amount: float, place: int, values: Array) -> None:
    """Count an event in a record; an amount that is NaN has no price."""
    values[place, COUNT] += 1.0
    if not np.isnan(amount):
        some = values[place, PRICED]
        if some > 0.0:
            off = amount - values[place, TOTAL] / some
            values[place, SPREAD] += off * off * (some / (some + 1.0))
        values[place, PRICED] += 1.0
        values[place, TOTAL] += amount
        values[place, LOW] = min(values[place, LOW], amount)
        values[place, HIGH] = max(values[place, HIGH], amount)


@compiled
def _step(
    time: int, amount: float, length: int, tile: int, lateness: int, slot: int, window: int,
    heads: Array, sizes: Array, times: Array, values: Array, links: Array, ends: Array, out: Array,
) -> None:  # fmt: skip
    """Answer one window for one event, then add the event to its chain."""
    before, place = NONE, heads[slot, window]
    while place != NONE and times[place, FIRST] > time:
        before, place = place, links[place]
    _answer(time, (time - length) // tile * tile, place, times, values, links, out)
    _add(
        time, amount, length, tile, lateness, slot, window, before, place,
        heads, sizes, times, values, links, ends,
    )  # fmt: skip


@compiled
def _look(
    time: int, length: int, tile: int, runs: bool, at: int, times: Array, values: Array, links: Array,
    out: Array,
) -> None:  # fmt: skip
    """Answer one window of labels for one event, which is added to none."""
    while at != NONE and times[at, FIRST] > time:
        at = links[at]
    floor = (time - length) // tile * tile
    if runs:
        _trace(floor, at, times, values, links, out)
    else:
        _answer(time, floor, at, times, values, links, out)


@compiled
def _trace(floor: int, at: int, times: Array, values: Array, links: Array, out: Array) -> None:
    """The newest run of frauds among the labels from `at` back to `floor`.

    What occurred in one instant, or was merged, counts as if its frauds had come last.
    """
    clean, run, newest, oldest = 0.0, 0.0, NONE, NONE
    while at != NONE and times[at, LAST] >= floor and values[at, TOTAL] == 0.0:
        clean, at = clean + values[at, COUNT], links[at]
    if at != NONE and times[at, LAST] >= floor:
        newest = times[at, LAST]
    unbroken = newest != NONE
    while unbroken and at != NONE and times[at, LAST] >= floor:
        if values[at, TOTAL] > 0.0:
            run, oldest = run + values[at, TOTAL], times[at, FIRST]
        unbroken, at = values[at, COUNT] == values[at, TOTAL], links[at]
    out[:] = np.nan
    out[NEWEST], out[RUN], out[OLDEST], out[CLEAN] = newest, run, oldest, clean


@compiled
def _learn(
    time: int, amount: float, length: int, tile: int, lateness: int, slot: int, window: int,
    heads: Array, sizes: Array, times: Array, values: Array, links: Array, ends: Array,
) -> None:  # fmt: skip
    """Add a label to its chain."""
    before, place = NONE, heads[slot, window]
    while place != NONE and times[place, FIRST] > time:
        before, place = place, links[place]
    _add(
        time, amount, length, tile, lateness, slot, window, before, place,
        heads, sizes, times, values, links, ends,
    )  # fmt: skip


@compiled
def _add(
    time: int, amount: float, length: int, tile: int, lateness: int, slot: int, window: int,
    before: int, place: int,
    heads: Array, sizes: Array, times: Array, values: Array, links: Array, ends: Array,
) -> None:  # fmt: skip
    """Add an event to its chain, between the record that is later than it and the one that is not."""
    if place != NONE and times[place, LAST] >= time:  # the same instant, or a run around it
        _count(amount, place, values)
        return
    new = _open(time, place, times, values, links, ends)
    _count(amount, new, values)
    if before == NONE:
        heads[slot, window] = new
    else:
        links[before] = new
    size = sizes[slot, window] + 1
    if size > ROOM:
        size = _compact(heads[slot, window], tile, times, values, links, ends)
    elif size % LET_GO_EVERY == 0:
        size -= _let_go(time, length + tile + lateness, heads[slot, window], times, links, ends)
    sizes[slot, window] = size


@compiled
def _run(
    slots: Array, when: Array, amounts: Array, lengths: Array, tiles: Array, lateness: int,
    known_from: int, runs_from: int,
    learners: Array, learned: Array, events: Array, frauds: Array, before: Array,
    heads: Array, sizes: Array, times: Array, values: Array, links: Array, ends: Array, out: Array,
) -> None:  # fmt: skip
    label = 0
    for row in range(len(slots) + 1):
        while label < len(learners) and (row == len(slots) or before[label] <= row):
            if learners[label] != NONE:
                for window in range(known_from, len(lengths)):
                    _learn(
                        learned[label] if window < runs_from else events[label], frauds[label],
                        lengths[window], tiles[window], lateness, learners[label], window,
                        heads, sizes, times, values, links, ends,
                    )  # fmt: skip
            label += 1
        if row == len(slots):
            break
        slot = slots[row]
        if slot == NONE:
            out[row, :, :] = np.nan
            continue
        for window in range(known_from):
            _step(
                when[row], amounts[row], lengths[window], tiles[window], lateness, slot, window,
                heads, sizes, times, values, links, ends, out[row, window],
            )  # fmt: skip
        for window in range(known_from, len(lengths)):
            _look(
                when[row], lengths[window], tiles[window], window >= runs_from, heads[slot, window],
                times, values, links, out[row, window],
            )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """k labels as one kind of entity learns them, in columns."""

    slots: Array
    """[k] int64: the row of the labelled transaction's entity, -1 for none."""
    known_at: Array
    """[k] int64, milliseconds."""
    occurred_at: Array
    """[k] int64, milliseconds."""
    fraud: Array
    """[k] float64: 1 for a fraud, 0 for what is legitimate."""
    before: Array
    """[k] int64, ascending: the label is learned just before this row of the events."""

    @classmethod
    def none(cls) -> Lessons:
        """Nothing became known."""
        none = np.empty(0, np.int64)
        return cls(slots=none, known_at=none, occurred_at=none, fraud=np.empty(0), before=none)


@dataclass(slots=True, kw_only=True)
class Chains:
    """All chains of one kind of entity, in columns: a row of `heads` an entity, a column a window.

    Records live in one arena: `times` [m, 2] in ms, `values` [m, 6] in minor units, `links` [m] to the next
    older. Sums are float64 of whole minor units: exact below 2**53, so tiles may merge in any order;
    squared deviations are kept apart from them, since squares of amounts are not.
    """

    lengths: Array
    lateness: int
    known_from: int
    """The first window of labels: before it are those of transactions."""
    runs_from: int
    """The first window of labels by when their transactions occurred: before it are those by `known_at`."""
    heads: Array
    sizes: Array
    times: Array
    values: Array
    links: Array
    ends: Array

    @classmethod
    def empty(
        cls, lengths: tuple[int, ...], lateness: int, known: tuple[int, ...] = (), runs: tuple[int, ...] = ()
    ) -> Chains:
        """Chains of no entity, for windows of these lengths in ms over transactions and over labels."""
        windows = len(lengths) + len(known) + len(runs)
        return cls(
            lengths=np.array((*lengths, *known, *runs), np.int64),
            lateness=lateness,
            known_from=len(lengths),
            runs_from=len(lengths) + len(known),
            heads=np.empty((0, windows), np.int32),
            sizes=np.empty((0, windows), np.int32),
            times=np.empty((0, 2), np.int64),
            values=np.empty((0, 6), np.float64),
            links=np.empty(0, np.int32),
            ends=np.array([0, NONE], np.int64),
        )

    def observe(
        self, slots: Array, when: Array, amounts: Array, entities: int, lessons: Lessons | None = None
    ) -> Array:
        """Windows before each event, [n, windows, 7], then count the events. Slot -1 has no entity: NaN.

        Labels are learned on the way, each just before its row.
        """
        windows, learned = len(self.lengths), lessons or Lessons.none()
        labels = len(learned.slots) * (windows - self.known_from)
        self._make_room(entities, len(slots) * self.known_from + labels)
        out = np.empty((len(slots), windows, QUERIED))
        _run(
            slots, when, amounts, self.lengths, tiles_of(self.lengths), self.lateness,
            self.known_from, self.runs_from,
            learned.slots, learned.known_at, learned.occurred_at, learned.fraud, learned.before,
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
