"""Waiting for a worker's decisions: one poller for all who wait, and none while nobody does."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Sequence
from functools import partial

from shroff.api.gateway.request import Ask
from shroff.api.gateway.settings import GatewayPorts
from shroff.api.gateway.verdicts import Verdict
from shroff.core.errors import Retryable
from shroff.ports import Entry, Receipt

_PAUSE = 0.001


class Poller:
    """Hands over each awaited decision as soon as it is in the ledger."""

    def __init__(self, ports: GatewayPorts, ask: Ask) -> None:
        self._ports = ports
        self._ask = ask
        self._waiting: dict[str, list[Future[Verdict]]] = {}
        self._newcomers = False
        self._poller: asyncio.Task[None] | None = None

    async def of(self, entry: Entry, receipt: Receipt, seconds: float) -> Verdict | None:
        """What became of an entry, None where that is not known in time."""
        transaction_id = entry.transaction_id
        future: Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(transaction_id, []).append(future)
        self._newcomers = True
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._leave(transaction_id, future)
        return future.result() if future.done() else None

    def _leave(self, transaction_id: str, future: Future[Verdict]) -> None:
        waiting = self._waiting.get(transaction_id, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(transaction_id, None)

    async def _poll(self) -> None:
        seen: int | None = None
        while self._waiting:
            seen = None if self._newcomers else seen
            self._newcomers = False
            try:
                seen, settled = await self._ask(partial(self._look, list(self._waiting), seen))
            except Retryable:
                settled = {}  # whoever waits goes on to do so until their time is up
            except Exception as error:  # noqa: BLE001  a bug is for each who waits to tell of
                self._hand_over(dict.fromkeys(self._waiting, error))
                return
            self._hand_over(settled)
            await asyncio.sleep(_PAUSE)

    def _look(self, transaction_ids: Sequence[str], seen: int | None) -> tuple[int, dict[str, Verdict]]:
        """What is settled of these, looking closer only where something changed since `seen`."""
        version = self._ports.changed()
        if version == seen:
            return version, {}
        settled: dict[str, Verdict] = {}
        for transaction_id, fate in self._ports.ledger.fates(transaction_ids).items():
            verdict: Verdict | None = None
            if fate == "decided":
                verdict = self._ports.ledger.find(transaction_id)
            elif fate == "dead_lettered":
                verdict = self._ports.dead_letters.get(transaction_id)
            if verdict is not None:
                settled[transaction_id] = verdict
        return version, settled

    def _hand_over(self, settled: dict[str, Verdict] | dict[str, Exception]) -> None:
        for transaction_id, verdict in settled.items():
            for future in self._waiting.pop(transaction_id, ()):
                if future.done():
                    continue
                if isinstance(verdict, Exception):
                    future.set_exception(verdict)
                else:
                    future.set_result(verdict)
