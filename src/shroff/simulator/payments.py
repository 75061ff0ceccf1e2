"""Payments as columns: what the habits and the typologies produce, before names are put on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from shroff.simulator.places import Floats, Ints

NONE = -1
"""The number that stands for "not there" in a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """Payments as columns of one length, in any order."""

    occurred_at: Ints
    """Milliseconds since 1970, UTC."""
    customer: Ints
    card: Ints
    merchant: Ints
    cents: Ints
    device: Ints
    """NONE at a till or a cash machine, and so are `ip` and `email`."""
    ip: Ints
    email: Ints
    country: Ints
    latitude: Floats
    longitude: Floats
    episode: Ints
    """The number of the fraud episode, NONE if legitimate."""

    def __len__(self) -> int:
        return len(self.occurred_at)

    def where(self, chosen: npt.NDArray[np.bool_] | Ints) -> Self:
        """Answer the chosen payments, by mask or by position."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def in_time_order(self) -> Self:
        """Answer them in the order in which they occurred."""
        return self.where(np.argsort(self.occurred_at, kind="stable"))

    @classmethod
    def together(cls, parts: Iterable[Self]) -> Self:
        """Join several lots, of which there must be one at least."""
        lots = list(parts)
        return cls(
            **{
                field.name: np.concatenate([getattr(lot, field.name) for lot in lots])
                for field in fields(cls)
            }
        )


def in_cents(amounts: Floats) -> Ints:
    """Round amounts to whole cents, at least ten of them."""
    return np.maximum(np.rint(amounts * 100), 10).astype(np.int64)
