"""A part as few bytes, exact to the bit and the same for equal parts.

A chain mostly begins as that of the next longer window does: only where it goes on differently is written.
Of a record that is one event, only its time and amount are. Whole numbers are written in columns, each as
wide as its largest needs and its low bytes first, so that compressing finds like beside like.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from shroff.core.chains import COUNT, FIRST, HIGH, LAST, LOW, PRICED, SPREAD, TOTAL
from shroff.core.compiled import Array
from shroff.core.parts import EntityPart, newest

_HEAD = struct.Struct("<HHIq")  # windows, columns, different hashes, newest
_FRACTIONS = 0x80  # on a column's width: floats as their bits, not as whole numbers
_TIMES, _ROW = 2, 8  # a row is a record: its two times, then its six values, all as 64 bits
_ONE = np.float64(1.0).view(np.uint64)
_SAME = [_TIMES + LOW, _TIMES + HIGH]  # of one event the amount,
_FIXED = [LAST, _TIMES + COUNT, _TIMES + PRICED, _TIMES + SPREAD]  # and these,
_EVENT = np.array([0, _ONE, _ONE, 0], np.uint64)  # which are so


def pack(part: EntityPart) -> bytes:
    """The bytes of a part."""
    latest, sizes, rows = newest(part), part.sizes.tolist(), _rows(part)
    shared = _shared(rows, sizes)
    rows = _own(rows, sizes, shared, latest)
    amounts = rows[:, _TIMES + TOTAL]
    events = (rows[:, _FIXED] == _EVENT).all(axis=1) & (rows[:, _SAME] == amounts[:, None]).all(axis=1)
    known: dict[int, int] = {}
    index = [known.setdefault(value, len(known)) for value in part.hashes.tolist()]
    firsts = np.cumsum(part.kept) - part.kept
    earliest = np.minimum.reduceat(part.seen, firsts) if len(firsts) else part.seen
    return b"".join(
        (
            _HEAD.pack(len(sizes), len(part.tiles), len(known), latest),
            _whole(np.array([*sizes, *shared, *part.tiles.tolist()], np.uint64)),
            _whole(events),
            _whole(rows[:, FIRST]),
            _numbers(amounts[events]),
            *_runs(rows[~events]),
            _whole(part.kept),
            _whole(np.array(list(known), np.uint64)),
            _whole(np.array(index, np.uint64)),
            _whole(latest - earliest),
            _whole(part.seen - np.repeat(earliest, part.kept)),
        )
    )


def unpack(data: bytes) -> EntityPart:
    """The part again. Raises ValueError, IndexError or struct.error for what is none."""
    windows, columns, different, latest = _HEAD.unpack_from(data)
    reader = _Reader(data)
    counts = reader.whole(2 * windows + columns).astype(np.int32)
    sizes, shared, tiles = counts[:windows], counts[windows : 2 * windows], counts[2 * windows :]
    chains = _chains(_read_rows(reader, int((sizes - shared).sum())), sizes.tolist(), shared.tolist(), latest)
    kept = reader.whole(int(tiles.sum())).astype(np.int32)
    known = reader.whole(different)
    hashes = known[reader.whole(int(kept.sum()))].view(np.int64)
    earliest = latest - reader.whole(len(kept)).view(np.int64)
    seen = np.repeat(earliest, kept) + reader.whole(len(hashes)).view(np.int64)
    reader.finish()
    return EntityPart(
        sizes=sizes,
        times=chains[:, :_TIMES].view(np.int64),
        values=chains[:, _TIMES:].view(np.float64),
        tiles=tiles,
        kept=kept,
        hashes=hashes,
        seen=seen,
    )


def _unsigned(time: int) -> np.uint64:
    """A time as it counts in rows, in which differences wrap around."""
    return np.uint64(time % 2**64)


def _rows(part: EntityPart) -> Array:
    """Every record as a row of bits."""
    rows = np.empty((len(part.times), _ROW), np.uint64)
    rows[:, :_TIMES] = part.times.view(np.uint64)
    rows[:, _TIMES:] = np.ascontiguousarray(part.values).view(np.uint64)
    return rows


def _shared(rows: Array, sizes: Sequence[int]) -> list[int]:
    """How many records each window has in common with the next longer one, from the newest on."""
    found, end = [], len(rows)
    if sizes:
        found, end = [0], end - sizes[-1]
    for size, longer in zip(sizes[-2::-1], sizes[:0:-1], strict=True):
        start, most = end - size, min(size, longer)
        same = (rows[start : start + most] == rows[end : end + most]).all(axis=1)
        found.append(most if same.all() else int(same.argmin()))
        end = start
    return found[::-1]


def _own(rows: Array, sizes: Sequence[int], shared: Sequence[int], latest: int) -> Array:
    """The rows that are not shared: how long before the one before, how long a run lasts, values."""
    own, start = np.ones(len(rows), bool), 0
    since = np.empty(len(rows), np.uint64)
    since[1:] = rows[:-1, FIRST] - rows[1:, FIRST]
    for size, common in zip(sizes, shared, strict=True):
        if size:
            since[start : start + 1] = _unsigned(latest) - rows[start : start + 1, FIRST]
        own[start : start + common] = False
        start += size
    rows[:, LAST] -= rows[:, FIRST]
    rows[:, FIRST] = since
    return rows[own]


def _runs(rows: Array) -> list[bytes]:
    """The columns of the records that are more than one event, or one without an amount."""
    if not len(rows):
        return []
    return [_whole(rows[:, LAST]), *(_numbers(rows[:, column]) for column in range(_TIMES, _ROW))]


def _read_rows(reader: _Reader, number: int) -> Array:
    """The rows that are not shared."""
    rows = np.empty((number, _ROW), np.uint64)
    events = reader.whole(number).astype(bool)
    runs = ~events
    rows[:, FIRST] = reader.whole(number)
    few = int(events.sum())
    amounts = reader.numbers(few)
    for column, value in zip(_FIXED, _EVENT, strict=True):
        rows[events, column] = value
    for column in (*_SAME, _TIMES + TOTAL):
        rows[events, column] = amounts
    if few < number:
        rows[runs, LAST] = reader.whole(number - few)
        for column in range(_TIMES, _ROW):
            rows[runs, column] = reader.numbers(number - few)
    return rows


def _chains(own: Array, sizes: Sequence[int], shared: Sequence[int], latest: int) -> Array:
    """All records again, each chain from what it shares with the next longer window and its own."""
    found, longer = [], np.empty((0, _ROW), np.uint64)
    ends = list(accumulate(size - common for size, common in zip(sizes, shared, strict=True)))
    for size, common, end in zip(reversed(sizes), reversed(shared), reversed(ends), strict=True):
        rows = own[end - (size - common) : end]
        before = longer[common - 1, FIRST] if common else _unsigned(latest)
        rows[:, FIRST] = before - np.cumsum(rows[:, FIRST])
        rows[:, LAST] += rows[:, FIRST]
        longer = np.concatenate((longer[:common], rows))
        found.append(longer)
    return np.concatenate((*reversed(found), np.empty((0, _ROW), np.uint64)))


def _whole(values: Array, flag: int = 0) -> bytes:
    """A column of whole numbers: how many bytes each takes, then all lowest bytes, all next, and so on."""
    if not len(values):
        return b"\0"
    column = values.astype("<u8")
    width = (int(column.max()).bit_length() + 7) // 8
    lanes = column.view(np.uint8).reshape(-1, 8)[:, :width]
    return bytes((width | flag,)) + lanes.T.tobytes()


def _numbers(bits: Array) -> bytes:
    """A column of floats, as whole numbers where that says the same."""
    floats = bits.view(np.float64)
    with np.errstate(invalid="ignore"):
        whole = floats.astype(np.uint64)
    if np.array_equal(whole.astype(np.float64).view(np.uint64), bits):
        return _whole(whole)
    return _whole(bits, _FRACTIONS)


class _Reader:
    """Columns, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, _HEAD.size

    def whole(self, number: int) -> Array:
        """The next column, of so many whole numbers."""
        return self._column(number)[0]

    def numbers(self, number: int) -> Array:
        """The next column, of the bits of so many floats."""
        column, flag = self._column(number)
        return column if flag else column.astype(np.float64).view(np.uint64)

    def finish(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise ValueError("more bytes than a part has")

    def _column(self, number: int) -> tuple[Array, int]:
        width, flag = self._data[self._at] & ~_FRACTIONS, self._data[self._at] & _FRACTIONS
        start, self._at = self._at + 1, self._at + 1 + width * number
        if width * number == 0:
            return np.zeros(number, np.uint64), flag
        lanes = np.zeros((number, 8), np.uint8)
        lanes[:, :width] = np.frombuffer(self._data, np.uint8, width * number, start).reshape(width, number).T
        return lanes.view("<u8").reshape(number), flag
