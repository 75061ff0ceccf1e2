"""A batch of transactions as columns: the unit of work everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import repeat

import numpy as np

from shroff.core.compiled import Array
from shroff.core.money import DECIMALS
from shroff.core.transaction import JOINT, TEXTS, Scalar, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """n transactions in the order in which they are observed."""

    transaction_id: Array
    """[n] str objects."""
    occurred_at: Array
    """[n] int64, milliseconds."""
    amount_minor: Array
    """[n] int64, minor units of `currency`."""
    currency: Array
    """[n] str objects."""
    texts: Mapping[str, Array]
    """Each of TEXTS → [n] str or None objects."""
    latitude: Array
    longitude: Array
    attributes: Sequence[Mapping[str, Scalar] | None]

    def __len__(self) -> int:
        return len(self.transaction_id)

    @classmethod
    def of(cls, transactions: Sequence[Transaction]) -> Batch:
        """The columns of some transactions."""
        return cls(
            transaction_id=objects(t.transaction_id for t in transactions),
            occurred_at=np.array([t.occurred_at for t in transactions], np.int64),
            amount_minor=np.array([t.amount_minor for t in transactions], np.int64),
            currency=objects(t.currency for t in transactions),
            texts={name: objects(getattr(t, name) for t in transactions) for name in TEXTS},
            latitude=np.array([t.latitude for t in transactions], np.float64),
            longitude=np.array([t.longitude for t in transactions], np.float64),
            attributes=[t.attributes for t in transactions],
        )

    def in_base(self, base: str, rates: Mapping[str, Decimal]) -> Array:
        """Amounts [n] in whole minor units of the base currency, half rounded to even; NaN without a rate."""
        factors = {
            currency: float(rate.scaleb(DECIMALS[base] - DECIMALS[currency]))
            for currency, rate in rates.items()
        }
        factors[base] = 1.0
        found = map(factors.get, self.currency.tolist(), repeat(np.nan))
        by_row = np.fromiter(found, np.float64, len(self))
        amounts: Array = np.rint(self.amount_minor * by_row)
        return amounts

    def keys(self, fields: Sequence[str]) -> list[str | None]:
        """What identifies an entity in each row; None where one of its fields is missing."""
        if len(fields) == 1:
            only: list[str | None] = self.texts[fields[0]].tolist()
            return only
        rows = zip(*(self.texts[field].tolist() for field in fields), strict=True)
        return [None if None in row else JOINT.join(row) for row in rows]

    def lacks(self, fields: Sequence[str]) -> bool:
        """Whether one of the fields is missing in every row, so that no row has an entity of them."""
        return any(self.texts[field].tolist().count(None) == len(self) for field in fields)

    def hashes(self, field: str) -> Array:
        """A stable hash in [1, 2**63) of each value of a field, 0 where it is missing."""
        if self.lacks([field]):
            return np.zeros(len(self), np.int64)
        return np.fromiter(map(_hash, self.texts[field].tolist()), np.int64, len(self))


@lru_cache(maxsize=100_000)
def _hash(value: str | None) -> int:
    if value is None:
        return 0
    return (int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "little") >> 1) or 1


def objects(values: Iterable[object]) -> Array:
    """A column of any values."""
    listed = list(values)
    column = np.empty(len(listed), object)
    column[:] = listed
    return column
