"""Places as points of three whole coordinates, and how far apart they are.

A place is a point on a sphere, in metres from its centre along three axes: sums of such points are exact in
any order, their mean lies in the direction in which an entity usually is, and neither the antimeridian nor a
pole is anything special. Coordinates are counted from the far side of the sphere, so that none is negative.

Sines come from a series of additions and multiplications, which are the same to the bit on every machine,
where those of a library differ in their last bits from version to version.
"""

from __future__ import annotations

from math import factorial, pi

import numpy as np

from shroff.core.compiled import Array

RADIUS = 6_371_008
"""The Earth's mean one in metres, and a multiple of four, so that no coordinate is just half a metre."""
AXES = 3
FASTEST = 100_000.0
"""The highest speed in km/h: what is faster, or in two places at once, counts as this."""
_NOWHERE = RADIUS / 1000
"""Metres from the centre within which a mean points nowhere: the places are all around the globe."""
_TERMS = 15
"""Of the series, whose error at 180 degrees is then that of its additions, 1e-15."""


def points(latitude: Array, longitude: Array) -> Array:
    """Places [n] in degrees as points [n, 3]; NaN where either is missing."""
    north, east = latitude * (pi / 180.0), longitude * (pi / 180.0)
    level = _series(north, 0)
    axes = (level * _series(east, 0), level * _series(east, 1), _series(north, 1))
    found: Array = np.rint(RADIUS * np.stack(axes, axis=1)) + RADIUS
    found[np.isnan(latitude) | np.isnan(longitude)] = np.nan
    return found


def distance(here: Array, sums: Array, number: Array) -> Array:
    """Kilometres [n], in whole metres, from points [n, 3] to the mean of so many [n] whose sums are [n, 3].

    NaN where a point is missing, there are none to sum up, or their mean points nowhere.
    """
    some = np.where(number > 0.0, number, np.nan)[:, None]
    means = (sums - some * RADIUS) / some
    length = _length(means)
    there = means / np.where(length > _NOWHERE, length, np.nan)[:, None]
    now = here - RADIUS
    now = now / _length(now)[:, None]
    # Kahan's angle, as exact for next door as for the other side of the Earth.
    angle = 2.0 * np.arctan2(_length(now - there), _length(now + there))
    return np.rint(RADIUS * angle) / 1000.0


def speed(kilometres: Array, milliseconds: Array) -> Array:
    """Kilometres an hour [n], at most `FASTEST`; NaN where nothing was covered in no time."""
    hours = np.where(milliseconds > 0, milliseconds / 3_600_000.0, np.nan)
    at_once = np.where(kilometres > 0.0, FASTEST, np.nan)
    return np.where(np.isnan(hours), at_once, np.minimum(kilometres / hours, FASTEST))


def _length(vectors: Array) -> Array:
    x, y, z = vectors.T
    length: Array = np.sqrt(x * x + y * y + z * z)
    return length


def _series(angle: Array, odd: int) -> Array:
    """The cosine, or where `odd` is 1 the sine, of angles [n] within half a turn."""
    square, found = angle * angle, np.zeros_like(angle)
    for power in range(2 * _TERMS + odd, -1, -2):
        found = (-1) ** (power // 2) / factorial(power) + square * found
    return found * angle if odd else found
