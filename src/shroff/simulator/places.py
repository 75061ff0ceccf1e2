"""The towns of the simulated world: where people live, shop and travel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# country: currency of its cards, hours from UTC (no summer time), towns as (latitude, longitude, people)
_ATLAS: dict[str, tuple[str, int, tuple[tuple[float, float, float], ...]]] = {
    "DE": ("EUR", 1, ((52.52, 13.40, 9), (48.14, 11.58, 6), (53.55, 9.99, 5), (50.94, 6.96, 4))),
    "FR": ("EUR", 1, ((48.86, 2.35, 9), (45.76, 4.84, 4), (43.30, 5.37, 4))),
    "NL": ("EUR", 1, ((52.37, 4.90, 5), (51.92, 4.48, 4))),
    "ES": ("EUR", 1, ((40.42, -3.70, 6), (41.39, 2.17, 5), (39.47, -0.38, 3))),
    "IT": ("EUR", 1, ((41.90, 12.50, 6), (45.46, 9.19, 5))),
    "GB": ("GBP", 0, ((51.51, -0.13, 8), (53.48, -2.24, 4), (55.95, -3.19, 3))),
    "US": ("USD", -5, ((40.71, -74.01, 7), (42.36, -71.06, 4), (25.76, -80.19, 4))),
    # Nobody of ours lives in these: people travel there, and fraud comes from there.
    "PT": ("EUR", 0, ((38.72, -9.14, 0),)),
    "GR": ("EUR", 2, ((37.98, 23.73, 0),)),
    "TR": ("EUR", 3, ((41.01, 28.98, 0),)),
    "BR": ("USD", -3, ((-23.55, -46.63, 0),)),
    "TH": ("USD", 7, ((13.76, 100.50, 0),)),
}

COUNTRIES: tuple[str, ...] = tuple(_ATLAS)
CURRENCIES: tuple[str, ...] = tuple(currency for currency, _, _ in _ATLAS.values())
_TOWNS = [
    (number, hours, *town) for number, (_, hours, towns) in enumerate(_ATLAS.values()) for town in towns
]
ONLINE = len(_TOWNS)
"""The place number of merchants that are nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Towns as columns, one row a place."""

    country: Ints
    utc_offset: Ints
    """Hours to add to UTC for the local clock."""
    latitude: Floats
    longitude: Floats
    people: Floats
    """The share of all customers who live there; they add up to one."""

    def elsewhere_in_country(self, rng: np.random.Generator, places: Ints) -> Ints:
        """Answer, for each place, some place of the same country, another one where there is one."""
        country = self.country[places]
        first = np.searchsorted(self.country, country, side="left")
        towns = np.searchsorted(self.country, country, side="right") - first
        step = 1 + (rng.random(len(places)) * np.maximum(towns - 1, 1)).astype(np.int64)
        return np.asarray(first + (places - first + step) % towns, dtype=np.int64)

    def abroad(self, rng: np.random.Generator, places: Ints) -> Ints:
        """Answer, for each place, some place of another country."""
        country = self.country[places]
        first = np.searchsorted(self.country, country, side="left")
        end = np.searchsorted(self.country, country, side="right")
        others = ONLINE - (end - first)
        step = (rng.random(len(places)) * others).astype(np.int64)
        return np.asarray((end + step) % ONLINE, dtype=np.int64)


def _places() -> Places:
    country, hours, latitude, longitude, people = zip(*_TOWNS, strict=True)
    weight = np.array(people, dtype=np.float64)
    return Places(
        country=np.array(country, dtype=np.int64),
        utc_offset=np.array(hours, dtype=np.int64),
        latitude=np.array(latitude, dtype=np.float64),
        longitude=np.array(longitude, dtype=np.float64),
        people=weight / weight.sum(),
    )


PLACES = _places()
