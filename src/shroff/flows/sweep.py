"""The periodic look-back over the transactions of the last minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from shroff.codec import instant
from shroff.core import sweep as core
from shroff.core.columns import Batch
from shroff.core.policy import Policy
from shroff.core.transaction import Transaction
from shroff.ports import Alerts, Ledger, Record

MOST = 300_000
"""Transactions that a sweep holds at once; a group of more is held whole all the same."""
_BUCKETS = 4_096
"""Groups are counted in so many buckets, which are shared out among the passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep looked at and what it found; the window is [start, end) in milliseconds."""

    start: int
    end: int
    transactions: int
    findings: tuple[core.Finding, ...]
    new_alerts: int

    def members(self) -> dict[str, Any]:
        """The sweep as its JSON members."""
        return {
            "from": instant(self.start),
            "to": instant(self.end),
            "transactions": self.transactions,
            "findings": [
                {
                    "transaction_id": each.transaction_id,
                    "customer_id": each.customer_id,
                    "reason": each.reason,
                    "score": each.score,
                }
                for each in self.findings
            ],
        }


def sweep(  # noqa: PLR0913 - three moments, and they are named
    policy: Policy, ledger: Ledger, alerts: Alerts, *, at: int, window: int, now: int, most: int = MOST
) -> Swept:
    """Sweep the `window` ms before `at`; findings become alerts, at most one a transaction and reason.

    Reads by the index on time, so its cost follows the window and not the history. Of more than `most`
    transactions it reads the window once to count them, then once for each pass over some of the groups.
    """
    start, transactions, new = at - window, 0, 0
    findings: list[core.Finding] = []
    for held in _passes(policy, ledger, start, at, most):
        found = core.sweep(policy, Batch.of(held))
        new += alerts.add(core.alerts_of(policy, found, now), count_hits=False) if found else 0
        transactions += len(held)
        findings += found
    return Swept(start=start, end=at, transactions=transactions, findings=tuple(findings), new_alerts=new)


def _passes(policy: Policy, ledger: Ledger, start: int, end: int, most: int) -> Iterator[list[Transaction]]:
    """The transactions of a window, the groups whole: in one list, or in lists of about `most`."""
    parts = ledger.between(start, end)
    held: list[Transaction] = []
    for records in parts:
        held += [record.transaction for record in records]
        if len(held) > most:
            break
    else:
        yield held
        return
    fields = policy.entities[policy.sweep.by]
    counts = Counter(_buckets(held, fields))
    del held
    for records in parts:
        counts.update(_buckets([record.transaction for record in records], fields))
    passes = _planned(counts, most)
    for number in range(max(passes) + 1):
        yield [each for each, bucket in _read(ledger.between(start, end), fields) if passes[bucket] == number]


def _planned(counts: Counter[int], most: int) -> list[int]:
    """Bucket → its pass, from 0; buckets are together as long as they have at most `most` transactions."""
    passes, number, size = [], 0, 0
    for bucket in range(_BUCKETS):
        if size and counts[bucket] and size + counts[bucket] > most:
            number, size = number + 1, 0
        size += counts[bucket]
        passes.append(number)
    return passes


def _read(parts: Iterator[list[Record]], fields: Sequence[str]) -> Iterator[tuple[Transaction, int]]:
    for records in parts:
        transactions = [record.transaction for record in records]
        yield from zip(transactions, _buckets(transactions, fields), strict=True)


def _buckets(transactions: Sequence[Transaction], fields: Sequence[str]) -> Iterator[int]:
    """The bucket of each one's group; those without the entity are a group too."""
    keys = Batch.of(transactions).keys(fields)
    return (crc32(("" if key is None else key).encode()) % _BUCKETS for key in keys)
