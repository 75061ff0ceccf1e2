"""The bytes of a part: exact for any numbers, refused when damaged, few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shroff.codec import decode_part, encode_part
from shroff.core.errors import Damaged
from shroff.core.parts import EntityPart
from tests.core.test_parts import dealt, of_ann, same, wild
from tests.core.test_windows import DAY, transaction

whole = st.integers(0, 2**53).map(float)
instants = st.one_of(st.integers(0, 2**41), st.integers(-(2**63), 2**63 - 1))


@st.composite
def any_part(draw: st.DrawFn) -> EntityPart:
    """A part of any numbers at all, sound or not."""
    sizes = draw(arrays(np.int32, st.integers(0, 3), elements=st.integers(0, 6)))
    tiles = draw(arrays(np.int32, st.integers(0, 3), elements=st.integers(0, 3)))
    kept = draw(arrays(np.int32, int(tiles.sum()), elements=st.integers(1, 4)))
    records, hashes = int(sizes.sum()), int(kept.sum())
    values = draw(arrays(np.float64, (records, 6), elements=st.one_of(whole, st.floats())))
    times = draw(arrays(np.int64, (records, 2), elements=instants))
    for row in draw(st.sets(st.integers(0, records - 1))) if records else ():
        times[row, 1] = times[row, 0]
        values[row] = [1, 1, values[row, 2], 0, values[row, 2], values[row, 2]]
    if len(sizes) > 1 and draw(st.booleans()):  # windows that begin alike
        common = min(sizes[:2])
        values[sizes[0] : sizes[0] + common] = values[:common]
        times[sizes[0] : sizes[0] + common] = times[:common]
    return EntityPart(
        sizes=sizes,
        times=times,
        values=values,
        tiles=tiles,
        kept=kept,
        hashes=draw(arrays(np.int64, hashes, elements=st.integers(1, 2**63 - 1))),
        seen=draw(arrays(np.int64, hashes, elements=instants)),
    )


@given(any_part())
def test_any_part_comes_back_from_its_bytes_to_the_bit(part: EntityPart) -> None:
    again = decode_part(encode_part(part))
    same(part, again)
    assert encode_part(again) == encode_part(part)


@pytest.mark.parametrize("number", [1, 300])
def test_damaged_bytes_are_refused(number: int) -> None:
    (part,) = dealt(of_ann(wild(2, number)), [0] * number)
    body = encode_part(part)
    broken = [body[:length] for length in range(0, len(body), 7)] + [body + b"\0"]
    places = range(0, len(body), 1 + len(body) // 200)
    broken += [body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1 :] for at in places]
    for each in broken:
        with pytest.raises(Damaged, match="what is remembered of an entity cannot be read"):
            decode_part(each)


def test_a_usual_customer_fits_in_one_write_unit() -> None:
    day = [transaction(at * DAY, 1_000 + at * 37, "ann", f"m{at % 9}") for at in range(30)]
    (part,) = dealt(day, [0] * len(day))
    assert len(encode_part(part)) < 700, "beside its key and the other attributes, of a write unit's 1,024"
