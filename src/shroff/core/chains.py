"""Windows over one kind of entity: chains of tiles.

A window of length L is cut into tiles of L/60. A chain holds the records of one entity and one window,
each a point (one instant) or a merged run of events *within one tile*::

    oldest ── [12:01:10 … 12:01:40] ── [12:03:00 … 12:03:50] ── 12:04:29 ── 12:04:31 ── newest
                                       merged in one tile       point       point

Every event starts as a point, so a window's head is exact: nothing after the transaction counts, everything
observed before it does. When a chain outgrows `ROOM`, its oldest records are merged by tile until
`LEAVES` are left; where that is not enough, the oldest are let go, all of them more than twice the window's
length ago. So cost and memory are bounded whatever the traffic. Only a transaction that is late by more
events of its entity than are points can be counted wrong: by a part of its own tile, or by what was let go.

Times are the payers' clocks, and some of those are wrong. What to let go is therefore measured from some way
behind the newest record: a few transactions from the future do not empty a chain.

A habit is what the newest amounts of a chain have in common: no more than `SAMPLED` records are looked at, a
merged run standing for its mean.

Labels that become known have chains of their own beside those of the transactions. In them an event is a
label, and its amount is 1 for a fraud and 0 for what is legitimate: one sort lists labels by when they became
known, the other by when the labelled transactions occurred, for what asks in which order frauds came. To the
1 of a fraud whose amount does not explain it `UNEXPLAINED` is added: sums of both can be told apart.

Places have chains of their own too, three for a window, in which the amount of an event is a coordinate: see
`places`. Who comes without a place adds no event to them.

The kernels below run compiled where numba is installed and interpreted where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shroff.core.compiled import Array, compiled
from shroff.core.places import AXES

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
LATEST, NEAREST = 6, 7
"""What a query returns beside the six: the time of the newest event counted, or -1; the mean amount of the
newest record that has one, or NaN."""
QUERIED = 8
NEWEST, RUN, OLDEST, CLEAN, LATER, ACCUSING, ACCUSED, BEFORE = range(QUERIED)
"""What a query for a run of frauds returns instead; a time is -1 where there is none.

The time of the newest fraud; how many frauds lie unbroken back from it; the time of the oldest of them; how
much that is legitimate came later, and the time of the newest of that; how many frauds of the run are
unexplained; the time of the oldest of these; the time of what is legitimate and ended the run."""
NONE = -1
UNEXPLAINED = 2.0**20
SAMPLED = 64
LEAST_SAMPLED = 3
"""Below so many amounts nothing is a habit."""
MEDIAN, DEVIATION, BELOW, HIGHEST, OFTEN, RECENT = range(6)
"""What a query for a habit returns: the median of the amounts, the median of how many times they are it or it
is them, the part of them below the event's own, the highest; how many are surprising, the time of the newest
such or -1."""
HABITS = 6
SAMPLE, SINCE, ORDERED = range(3)
"""Columns of a sample: the newest amounts, the newest first; their times; the amounts in ascending order."""
SURPRISING, EXPLAINING = np.e, 2.0
"""Times the median from which on an amount is surprising, where three deviations are not more, and from which
on a fraud's explains the fraud: one unit of the currency is added to amounts, as cents are no multiple of
cents."""
LARGEST, KINDS = 8, 18
"""The kind of block that holds a whole chain; how many kinds there are, as parts of one entity that were
merged come to longer chains until their next event."""
TOGETHER = 256
"""Of more rows than these, those of one entity are gone through together."""
_USED, _FREE = 0, 1  # cells of `ends`


def tiles_of(lengths: Array) -> Array:
    """The tiles in ms of windows of these lengths: at most a 60th, at least 1 ms."""
    tiles: Array = np.maximum(1, lengths // TILES)
    return tiles


@compiled
def _room(kind: int) -> int:
    """How many records a block of a kind has room for: one, then twice as many as the kind before."""
    return 1 << kind if kind < LARGEST else (ROOM + 1) << (kind - LARGEST)


@compiled
def _move(
    slot: int, window: int, size: int, blocks: Array, kinds: Array, times: Array, values: Array, ends: Array
) -> int:
    """Move a chain into a larger block, its first or the next kind. Returns where that begins."""
    old, kind = blocks[slot, window], kinds[slot, window] + 1
    new: int = ends[_FREE + kind]
    if new != NONE:
        ends[_FREE + kind] = times[new, 0]
    else:
        new = ends[_USED]
        ends[_USED] += _room(kind)
    for at in range(size):
        _copy(old + at, new + at, times, values)
    if old != NONE:
        times[old, 0] = ends[_FREE + kind - 1]
        ends[_FREE + kind - 1] = old
    blocks[slot, window], kinds[slot, window] = new, kind
    return new


@compiled
def _copy(record: int, to: int, times: Array, values: Array) -> None:
    """Put a record in another place."""
    times[to, FIRST], times[to, LAST] = times[record, FIRST], times[record, LAST]
    for column in range(HIGH + 1):
        values[to, column] = values[record, column]


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
def _compact(base: int, size: int, tile: int, times: Array, values: Array) -> int:
    """Merge a chain within tiles, the oldest first; what is still too much goes. Returns its size."""
    top, pairs = base + size - POINTS, 0
    for at in range(top, base, -1):
        pairs += times[at - 1, LAST] // tile == times[at, FIRST] // tile
    left_alone, kept, at = pairs - (size - LEAVES), POINTS, top
    for following in range(top - 1, base - 1, -1):
        paired = times[following, LAST] // tile == times[at, FIRST] // tile
        if paired and left_alone <= 0:
            _merge(at, following, times, values)
        elif kept == LEAVES:
            break
        else:
            left_alone -= paired
            kept, at = kept + 1, at - 1
            _copy(following, at, times, values)
    _drop(base, at - base, size, times, values)
    return kept


@compiled
def _drop(base: int, gone: int, size: int, times: Array, values: Array) -> None:
    """Move a chain's records to the beginning of its block, over the oldest."""
    if gone > 0:
        for at in range(base, base + size - gone):
            _copy(at + gone, at, times, values)


@compiled
def _let_go(time: int, reach: int, base: int, size: int, times: Array, values: Array) -> int:
    """Forget the records that no transaction can ask for any more. Returns how many went."""
    newest = base + size - SPARED
    oldest, at = min(time, times[newest, LAST]) - reach, base
    while at < newest and times[at, LAST] < oldest:
        at += 1
    _drop(base, at - base, size, times, values)
    return at - base


@compiled
def _answer(time: int, floor: int, base: int, at: int, times: Array, values: Array, out: Array) -> None:
    """What the records from `at` back to `floor` come to.

    Deviations are summed up about a value that is near them all, the newest, so that next to nothing cancels.
    """
    latest = times[at, LAST] if at >= base else NONE
    if (
        latest > time
    ):  # a merged run reaches past this event: it cannot be split, and counts as what most of it is
        if 2 * time < times[at, FIRST] + latest:
            at -= 1
            latest = times[at, LAST] if at >= base else NONE
        else:
            latest = times[at, FIRST]
    out[LATEST] = latest if latest >= floor else NONE
    count, priced, total, low, high = 0.0, 0.0, 0.0, np.inf, -np.inf
    near, apart, squares = np.nan, 0.0, 0.0
    while at >= base and times[at, LAST] >= floor:
        count += values[at, COUNT]
        some = values[at, PRICED]
        if some > 0.0:
            if priced == 0.0:
                near = values[at, TOTAL] / some
            priced += some
            total += values[at, TOTAL]
            off = values[at, TOTAL] - some * near
            apart += off
            # Most records are one event, which has no spread: a division less is a third of the time.
            squares += off * off if some == 1.0 else values[at, SPREAD] + off * off / some
            low = min(low, values[at, LOW])
            high = max(high, values[at, HIGH])
        at -= 1
    out[COUNT], out[PRICED], out[TOTAL], out[LOW], out[HIGH] = count, priced, total, low, high
    out[SPREAD] = max(0.0, squares - apart * apart / priced) if priced > 0.0 else 0.0
    out[NEAREST] = near


@compiled
def _sampled(time: int, floor: int, base: int, at: int, times: Array, values: Array, found: Array) -> int:
    """Copy the newest amounts from record `at` back to `floor` beside their times. Returns how many."""
    size = 0
    while at >= base and times[at, LAST] >= floor and size < SAMPLED:
        if times[at, LAST] <= time and values[at, PRICED] > 0.0:
            found[size, SAMPLE] = values[at, TOTAL] / values[at, PRICED]
            found[size, SINCE] = times[at, LAST]
            size += 1
        at -= 1
    return size


@compiled
def _order(size: int, found: Array) -> None:
    """Put the sampled amounts in order beside themselves: by insertion, in half the time of np.sort."""
    for at in range(size):
        amount, place = found[at, SAMPLE], at
        while place > 0 and found[place - 1, ORDERED] > amount:
            found[place, ORDERED] = found[place - 1, ORDERED]
            place -= 1
        found[place, ORDERED] = amount


@compiled
def _middle(size: int, found: Array) -> float:
    """The median of the ordered amounts."""
    upper: float = found[size // 2, ORDERED]
    return upper if size % 2 else (found[size // 2 - 1, ORDERED] + upper) / 2.0


@compiled
def _deviation(size: int, usual: float, unit: float, found: Array) -> float:
    """The median of how many times the median the ordered amounts are, or it them: the nearest come first."""
    above = size // 2
    below = above - 1
    up = (found[above, ORDERED] + unit) / usual
    down = usual / (found[below, ORDERED] + unit)
    distance, before = 1.0, 1.0
    for _ in range(size // 2 + 1):
        before = distance
        if up <= down:
            distance, above = up, above + 1
            up = (found[above, ORDERED] + unit) / usual if above < size else np.inf
        else:
            distance, below = down, below - 1
            down = usual / (found[below, ORDERED] + unit) if below >= 0 else np.inf
    return distance if size % 2 else (before + distance) / 2.0


@compiled
def _habit(amount: float, unit: float, size: int, found: Array, out: Array) -> None:
    """What the sampled amounts come to, in minor units, beside one's own; NaN where they are too few."""
    if size < LEAST_SAMPLED:
        out[:] = np.nan
        return
    _order(size, found)
    median = _middle(size, found)
    out[MEDIAN], out[HIGHEST] = median, found[size - 1, ORDERED]
    out[DEVIATION] = deviation = _deviation(size, median + unit, unit, found)
    surprising = max(SURPRISING, deviation * deviation * deviation) * (median + unit) - unit
    below, often, recent = 0, 0, NONE
    for at in range(size):
        below += found[at, SAMPLE] < amount
        if found[at, SAMPLE] > surprising:
            if often == 0:
                recent = found[at, SINCE]
            often += 1
    out[BELOW], out[OFTEN], out[RECENT] = below / size, often, recent


@compiled
def _explains(
    time: int, amount: float, unit: float, length: int, tile: int, base: int, size: int,
    times: Array, values: Array, found: Array,
) -> bool:  # fmt: skip
    """Whether an amount is far enough above the habit before it to say itself why it was a fraud."""
    at = base + size - 1
    while at >= base and times[at, LAST] >= time:
        at -= 1
    sampled = _sampled(time, (time - length) // tile * tile, base, at, times, values, found)
    if sampled < LEAST_SAMPLED:
        return False
    _order(sampled, found)
    explains: bool = amount + unit >= EXPLAINING * (_middle(sampled, found) + unit)
    return explains


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
def _place(time: int, base: int, size: int, times: Array) -> int:
    """The newest record that does not begin after this time, or the place before the oldest."""
    at = base + size - 1
    while at >= base and times[at, FIRST] > time:
        at -= 1
    return at


@compiled
def _trace(floor: int, base: int, at: int, times: Array, values: Array, out: Array) -> None:
    """The newest run of frauds among the labels from `at` back to `floor`.

    What occurred in one instant, or was merged, counts as if its frauds had come last.
    """
    clean, later, run, newest, oldest = 0.0, NONE, 0.0, NONE, NONE
    accusing, accused, before = 0.0, NONE, NONE
    if at >= base and times[at, LAST] >= floor and values[at, TOTAL] == 0.0:
        later = times[at, LAST]
    while at >= base and times[at, LAST] >= floor and values[at, TOTAL] == 0.0:
        clean, at = clean + values[at, COUNT], at - 1
    if at >= base and times[at, LAST] >= floor:
        newest = times[at, LAST]
    unbroken = newest != NONE
    while unbroken and at >= base and times[at, LAST] >= floor:
        unexplained = np.floor(values[at, TOTAL] / UNEXPLAINED)
        frauds = values[at, TOTAL] - unexplained * UNEXPLAINED
        if frauds > 0.0:
            run, oldest = run + frauds, times[at, FIRST]
        if unexplained > 0.0:
            accusing, accused = accusing + unexplained, times[at, FIRST]
        unbroken = values[at, COUNT] == frauds
        if not unbroken:
            before = times[at, LAST]
        at -= 1
    out[NEWEST], out[RUN], out[OLDEST], out[CLEAN], out[LATER] = newest, run, oldest, clean, later
    out[ACCUSING], out[ACCUSED], out[BEFORE] = accusing, accused, before


@compiled
def _add(
    time: int, amount: float, place: int, length: int, tile: int, lateness: int, slot: int, window: int,
    blocks: Array, kinds: Array, sizes: Array, times: Array, values: Array, ends: Array,
) -> None:  # fmt: skip
    """Add an event to its chain, behind the record at `place` or within it."""
    base, size = blocks[slot, window], sizes[slot, window]
    if place >= base and size > 0 and times[place, LAST] >= time:  # the same instant, or a run around it
        _count(amount, place, values)
        return
    new = place + 1 - base if size > 0 else 0
    if kinds[slot, window] == NONE or size == _room(kinds[slot, window]):
        base = _move(slot, window, size, blocks, kinds, times, values, ends)
    new += base
    for at in range(base + size, new, -1):
        _copy(at - 1, at, times, values)
    times[new, FIRST] = times[new, LAST] = time
    values[new, :LOW] = 0.0
    values[new, LOW], values[new, HIGH] = np.inf, -np.inf
    _count(amount, new, values)
    size += 1
    if size > ROOM:
        size = _compact(base, size, tile, times, values)
    elif size % LET_GO_EVERY == 0:
        size -= _let_go(time, length + tile + lateness, base, size, times, values)
    sizes[slot, window] = size


@compiled
def _roomier(more: int, times: Array, values: Array, ends: Array) -> tuple[Array, Array]:
    """The arena with room for so many more records, doubling so that growing costs little per record."""
    used = ends[_USED]
    if used + more <= len(times):
        return times, values
    room = max(used + more, 2 * len(times))
    more_times, more_values = np.empty((room, 2), np.int64), np.empty((room, HIGH + 1), np.float64)
    more_times[:used], more_values[:used] = times[:used], values[:used]
    return more_times, more_values


@compiled
def _judged(
    event: int, paid: float, unit: float, fraud: float, length: int, tile: int, base: int, size: int,
    times: Array, values: Array, found: Array,
) -> float:  # fmt: skip
    """A label as it counts, where the payer's habit is known from this chain."""
    if fraud == 0.0 or _explains(event, paid, unit, length, tile, base, size, times, values, found):
        return fraud
    return fraud + UNEXPLAINED


@compiled
def _learn(
    slot: int, known_at: int, event: int, fraud: float, lengths: Array, tiles: Array, lateness: int,
    known_from: int, runs_from: int,
    blocks: Array, kinds: Array, sizes: Array, times: Array, values: Array, ends: Array,
) -> None:  # fmt: skip
    """Count a label in all windows of labels of its entity."""
    for window in range(known_from, len(lengths)):
        time = known_at if window < runs_from else event
        place = _place(time, blocks[slot, window], sizes[slot, window], times)
        _add(
            time, fraud, place, lengths[window], tiles[window], lateness, slot, window,
            blocks, kinds, sizes, times, values, ends,
        )  # fmt: skip


@compiled
def _meet(
    slot: int, time: int, amount: float, place_of: Array, unit: float,
    lengths: Array, tiles: Array, lateness: int,
    places_from: int, known_from: int, runs_from: int, habit_of: Array,
    blocks: Array, kinds: Array, sizes: Array, times: Array, values: Array, ends: Array,
    out: Array, habits: Array, found: Array,
) -> None:  # fmt: skip
    """Answer all windows for one event; then count it in those of transactions and of places."""
    places = (known_from - places_from) // AXES
    for window in range(len(lengths)):
        base, length, tile = blocks[slot, window], lengths[window], tiles[window]
        floor = (time - length) // tile * tile
        place = _place(time, base, sizes[slot, window], times)
        if window >= runs_from:
            _trace(floor, base, place, times, values, out[window])
        else:
            _answer(time, floor, base, place, times, values, out[window])
        if window < places_from:
            if habit_of[window] != NONE:
                size = _sampled(time, floor, base, place, times, values, found)
                _habit(amount, unit, size, found, habits[habit_of[window]])
            _add(
                time, amount, place, length, tile, lateness, slot, window,
                blocks, kinds, sizes, times, values, ends,
            )  # fmt: skip
        elif window < known_from:
            coordinate = place_of[(window - places_from) // places]
            if not np.isnan(coordinate):
                _add(
                    time, coordinate, place, length, tile, lateness, slot, window,
                    blocks, kinds, sizes, times, values, ends,
                )  # fmt: skip


@compiled
def _run(
    turns: Array, slots: Array, when: Array, amounts: Array, points: Array, unit: float,
    lengths: Array, tiles: Array, lateness: int,
    places_from: int, known_from: int, runs_from: int, habit_of: Array, judge: int,
    learners: Array, learned: Array, events: Array, paid: Array, frauds: Array,
    blocks: Array, kinds: Array, sizes: Array, times: Array, values: Array, ends: Array,
    out: Array, habits: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Answer and count rows, and learn labels, as they take turns. Returns the arena, which may be new."""
    room, found = len(lengths) * (ROOM + 1), np.empty((SAMPLED, 3))
    for row in turns:
        if row < 0:
            label = ~row
            slot = learners[label]
            if judge != NONE:
                base, size = (NONE, 0) if slot == NONE else (blocks[slot, judge], sizes[slot, judge])
                frauds[label] = _judged(
                    events[label], paid[label], unit, frauds[label], lengths[judge], tiles[judge],
                    base, size, times, values, found,
                )  # fmt: skip
            if slot != NONE:
                times, values = _roomier(room, times, values, ends)
                _learn(
                    slot, learned[label], events[label], frauds[label], lengths, tiles, lateness,
                    known_from, runs_from, blocks, kinds, sizes, times, values, ends,
                )  # fmt: skip
        elif slots[row] == NONE:
            out[row, :, :] = np.nan
            habits[row, :, :] = np.nan
        else:
            times, values = _roomier(room, times, values, ends)
            _meet(
                slots[row], when[row], amounts[row], points[row], unit, lengths, tiles, lateness,
                places_from, known_from, runs_from, habit_of, blocks, kinds, sizes, times, values, ends,
                out[row], habits[row], found,
            )  # fmt: skip
    return times, values


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """k labels as one kind of entity learns them, in columns."""

    slots: Array
    """[k] int64: the row of the labelled transaction's entity, -1 for none."""
    known_at: Array
    """[k] int64, milliseconds."""
    occurred_at: Array
    """[k] int64, milliseconds."""
    amounts: Array
    """[k] float64, minor units; NaN is missing."""
    fraud: Array
    """[k] float64: 0 for what is legitimate, 1 for a fraud; the chains that judge add `UNEXPLAINED`."""
    before: Array
    """[k] int64, ascending: the label is learned just before this row of the events."""

    @classmethod
    def none(cls) -> Lessons:
        """Nothing became known."""
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return cls(slots=none, known_at=none, occurred_at=none, amounts=nothing, fraud=nothing, before=none)


@dataclass(slots=True, kw_only=True)
class Chains:
    """All chains of one kind of entity, in columns: a row of `blocks` an entity, a column a window.

    Records live in one arena: `times` [m, 2] in ms, `values` [m, 6] in minor units. Those of a chain lie one
    after the other, the oldest first, in a block that moves to a larger one when it is full. Sums are float64
    of whole minor units: exact below 2**53, so tiles may merge in any order; squared deviations are kept
    apart from them, since squares of amounts are not.
    """

    lengths: Array
    lateness: int
    places_from: int
    """The first window of places: before it are those of transactions."""
    known_from: int
    """The first window of labels: before it are those of the three coordinates of places."""
    runs_from: int
    """The first window of labels by when their transactions occurred: before it are those by `known_at`."""
    habit_of: Array
    """[windows] int64: the place of a window among those whose habit is asked for, -1 for the others."""
    judge: int
    """The window by whose habit a fraud is explained or not; -1 where that is not said here."""
    blocks: Array
    """[entities, windows] int32: the first record of each chain's block, -1 where there is none."""
    kinds: Array
    """[entities, windows] int32: how large the block is, -1 where there is none."""
    sizes: Array
    """[entities, windows] int32: records of each chain."""
    times: Array
    values: Array
    ends: Array
    """int64: the first record that was never used, then for each kind the first freed block or -1; a freed
    block's first time is the next one."""

    @classmethod
    def empty(  # one sort of windows each
        cls,
        lengths: tuple[int, ...],
        lateness: int,
        known: tuple[int, ...] = (),
        runs: tuple[int, ...] = (),
        habits: tuple[int, ...] = (),
        judge: int | None = None,
        places: tuple[int, ...] = (),
    ) -> Chains:
        """Chains of no entity, for windows of these lengths in ms over transactions, labels and places.

        Habits are asked for of some of the windows over transactions, and by the habit of one is judged.
        """
        known_from = len(lengths) + AXES * len(places)
        windows = known_from + len(known) + len(runs)
        habit_of = [habits.index(each) if each in habits else NONE for each in lengths]
        return cls(
            lengths=np.array((*lengths, *places * AXES, *known, *runs), np.int64),
            lateness=lateness,
            places_from=len(lengths),
            known_from=known_from,
            runs_from=known_from + len(known),
            habit_of=np.array(habit_of, np.int64),
            judge=NONE if judge is None else lengths.index(judge),
            blocks=np.empty((0, windows), np.int32),
            kinds=np.empty((0, windows), np.int32),
            sizes=np.empty((0, windows), np.int32),
            times=np.empty((0, 2), np.int64),
            values=np.empty((0, 6), np.float64),
            ends=np.array([0, *[NONE] * KINDS], np.int64),
        )

    def observe(  # the columns of events
        self,
        slots: Array,
        when: Array,
        amounts: Array,
        entities: int,
        lessons: Lessons | None = None,
        unit: float = 1.0,
        points: Array | None = None,
    ) -> tuple[Array, Array]:
        """Windows before each event, [n, windows, 8], and habits, [n, habits, 6]; then count the events.

        Slot -1 has no entity: NaN. Labels are learned on the way, each just before its row. A `unit` is so
        many minor ones. The `points` [n, 3] are those of the events' places, asked for only by such windows.
        """
        if points is None:
            points = np.full((len(slots), AXES), np.nan)
        windows, learned = len(self.lengths), lessons or Lessons.none()
        self.make_room(entities)
        # Rarely too little; then the kernel makes more, but of small pages, which take far longer to get.
        needed = self.used + 2 * windows * len(slots)
        self.times, self.values = grown(self.times, needed), grown(self.values, needed)
        out = np.empty((len(slots), windows, QUERIED))
        habits = np.empty((len(slots), int(np.count_nonzero(self.habit_of != NONE)), HABITS))
        turns = turns_of(slots, learned.slots, learned.before)
        self.times, self.values = _run(
            turns, slots, when, amounts, points, unit, self.lengths, tiles_of(self.lengths), self.lateness,
            self.places_from, self.known_from, self.runs_from, self.habit_of, self.judge,
            learned.slots, learned.known_at, learned.occurred_at, learned.amounts, learned.fraud,
            self.blocks, self.kinds, self.sizes, self.times, self.values, self.ends, out, habits,
        )  # fmt: skip
        return out, habits

    @property
    def used(self) -> int:
        """How many records of the arena are in blocks, or were."""
        return int(self.ends[_USED])

    def make_room(self, entities: int) -> None:
        """Have a row for so many entities."""
        self.blocks = grown(self.blocks, entities, NONE)
        self.kinds = grown(self.kinds, entities, NONE)
        self.sizes = grown(self.sizes, entities, 0)

    def span(self, slot: int, window: int) -> slice:
        """Where the records of a chain lie, the oldest first."""
        base = int(self.blocks[slot, window])
        return slice(base, base + int(self.sizes[slot, window]))

    def put(self, slot: int, window: int, times: Array, values: Array) -> None:
        """Give records [k, 2] and [k, 6], the oldest first, to a chain that has none."""
        if not len(times):
            return
        kind = next(kind for kind in range(KINDS) if _room(kind) >= len(times))
        self.times, self.values = _roomier(_room(kind), self.times, self.values, self.ends)
        self.kinds[slot, window] = kind - 1
        _move(slot, window, 0, self.blocks, self.kinds, self.times, self.values, self.ends)
        self.sizes[slot, window] = len(times)
        at = self.span(slot, window)
        self.times[at], self.values[at] = times, values


def turns_of(slots: Array, learners: Array | None = None, before: Array | None = None) -> Array:
    """In which order rows [n], and labels [k] each before its row, are gone through: label i as ~i.

    Those of one entity keep their order, and no entity sees another's. So whatever is of one entity comes
    together, while its records are near: a day of many thousand rows takes half the time.
    """
    turns, whose = np.arange(len(slots)), slots
    if learners is not None and before is not None and len(learners):
        turns = np.insert(turns, before, ~np.arange(len(learners)))
        whose = np.insert(slots, before, learners)
    # By 16 bits numpy sorts in linear time; entities that share them take turns.
    return turns[np.argsort(whose.astype(np.uint16), kind="stable")] if len(turns) > TOGETHER else turns


def grown(array: Array, rows: int, fill: int | None = None) -> Array:
    """The array with room for `rows`, doubling so that growing costs little per row."""
    if rows <= len(array):
        return array
    larger = np.empty((max(rows, 2 * len(array), 64), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    if fill is not None:
        larger[len(array) :] = fill
    return larger
