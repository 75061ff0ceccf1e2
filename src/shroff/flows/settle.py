"""Seeing to it that whatever was accepted is decided: what never reached a worker is sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shroff.ports import Ledger, Queue

UNSURE = 60_000
"""Milliseconds for which an acceptance may still be under way, or not yet be seen by everyone."""
PATIENCE = 600_000
"""After so many without a fate a transaction is sent again; then after twice, four times … as many."""
GAP = 900_000
"""After so many it counts as a gap."""

AUDITED = "audited"
"""The job whose tick is the moment up to which everything accepted is known to have its fate."""

_TOGETHER = 5_000

Send = Callable[[Sequence[str]], object]
"""Sends accepted transactions to the workers again; those that were decided meanwhile do no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the transactions that were accepted since the watermark."""

    watermark: int
    """Everything accepted up to this moment is decided or a dead letter."""
    looked_at: int
    open: int
    """Without a fate, or to be tried again."""
    sent: int
    gap: int
    """Open for longer than GAP."""


def settle(
    queue: Queue, ledger: Ledger, send: Send, *, watermark: int, now: int, before: int | None = None
) -> Settled:
    """Follow what was accepted since the watermark, and send again what is without a fate for too long.

    For queues whose places are moments of acceptance. `before` is when this was done last: what is still
    open is sent once for each doubling of its age, so that a long queue does not feed on itself.
    """
    after, oldest = watermark, None
    looked_at = unsettled = sent = gap = 0
    until = now - UNSURE
    while page := [each for each in queue.ids(after, _TOGETHER) if each[0] <= until]:
        fates = ledger.fates([transaction_id for _, transaction_id in page])
        left = [each for each in page if fates.get(each[1], "retrying") == "retrying"]
        if left and oldest is None:
            oldest = left[0][0]
        overdue = [name for at, name in left if _overdue(at, now, before)]
        if overdue:
            send(overdue)
        looked_at, unsettled, sent = looked_at + len(page), unsettled + len(left), sent + len(overdue)
        gap += sum(now - at >= GAP for at, _ in left)
        after = page[-1][0]
    return Settled(
        watermark=after if oldest is None else oldest - 1,
        looked_at=looked_at,
        open=unsettled,
        sent=sent,
        gap=gap,
    )


def _overdue(at: int, now: int, before: int | None) -> bool:
    """Whether PATIENCE, or a doubling of it, has passed since this was asked last."""
    age = (now - at) // PATIENCE
    return age > 0 and (before is None or age.bit_length() > max(0, (before - at) // PATIENCE).bit_length())
