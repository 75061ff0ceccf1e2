"""How a decision is come by that somebody waits for."""

from __future__ import annotations

from typing import Protocol

from shroff.ports import DeadLetter, Entry, Receipt, Record

Verdict = Record | DeadLetter


class Verdicts(Protocol):
    """Decisions for those who wait: awaited from a worker, or made here and now."""

    async def of(self, entry: Entry, receipt: Receipt, seconds: float) -> Verdict | None:
        """What became of an entry that was accepted, None where that is not known in time."""
