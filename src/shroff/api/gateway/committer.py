"""Group commit: requests that come at the same time share one append, and so one fsync."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

import structlog

from shroff.api.gateway.answers import FULL, STOPPING, Refused
from shroff.core.errors import Retryable
from shroff.ports import Entry, Receipt

_log = structlog.get_logger("shroff.gateway")

_T = TypeVar("_T")
Append = Callable[[Sequence[Entry]], list[Receipt]]
Share = tuple[Sequence[Entry], "Future[list[Receipt]]"]
"""What one request adds to a group."""

_LARGEST_GROUP = 4_096
"""Entries after which a group is closed; one share may be larger."""


class Broken(Exception):
    """The append failed for a reason that is ours; it has been logged."""


class Committer:
    """One thread that appends what has gathered while its last append was under way.

    All but the thread's own steps run on the event loop, and need no lock.
    """

    def __init__(self, append: Append, most_pending: int, on_group: Callable[[int], None]) -> None:
        self._append = append
        self._most_pending = most_pending
        self._on_group = on_group
        self._pending = 0
        self._shares: SimpleQueue[Share | None] = SimpleQueue()
        self._stopping = False
        self._thread = Thread(target=self._run, name="shroff-committer")
        self._loop: AbstractEventLoop

    def start(self, loop: AbstractEventLoop) -> None:
        """Start the thread; futures belong to this loop."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Refuse what is new, append what is pending, and end the thread."""
        self._stopping = True
        if self._thread.is_alive():
            self._shares.put(None)
            self._thread.join()

    @property
    def working(self) -> bool:
        """Whether it takes entries."""
        return self._thread.is_alive() and not self._stopping

    def submit(self, entries: Sequence[Entry]) -> Future[list[Receipt]]:
        """A future of their receipts, durable when it resolves. Raises Refused where there is no room."""
        if self._stopping:
            raise Refused(STOPPING)
        if self._pending + len(entries) > self._most_pending:
            raise Refused(FULL)
        self._pending += len(entries)
        future: Future[list[Receipt]] = self._loop.create_future()
        self._shares.put((entries, future))
        return future

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._gather()
            if group:
                self._append_group(group)

    def _gather(self) -> tuple[list[Share], bool]:
        """Wait for a share and take all others that are there; False after the last."""
        group: list[Share] = []
        size = 0
        share = self._shares.get()
        while share is not None:
            group.append(share)
            size += len(share[0])
            if size >= _LARGEST_GROUP:
                return group, True
            try:
                share = self._shares.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _append_group(self, group: list[Share]) -> None:
        entries = [entry for share, _ in group for entry in share]
        try:
            receipts = self._append(entries)
            if len(receipts) != len(entries):
                raise RuntimeError(f"{len(receipts)} receipts for {len(entries)} entries")
        except Retryable as error:
            _log.warning("append_refused", entries=len(entries), cause=str(error))
            self._resolve(self._fail, group, error)
        except Exception as error:  # noqa: BLE001  a bug is logged, and the next group is tried
            _log.exception("append_failed", entries=len(entries))
            self._resolve(self._fail, group, Broken(str(error)))
        else:
            self._resolve(self._settle, group, receipts)

    def _resolve(self, act: Callable[[list[Share], _T], None], group: list[Share], outcome: _T) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(act, group, outcome)

    def _settle(self, group: list[Share], receipts: list[Receipt]) -> None:
        self._pending -= len(receipts)
        self._on_group(len(receipts))
        at = 0
        for entries, future in group:
            if not future.done():  # a client that left cancels its own share only
                future.set_result(receipts[at : at + len(entries)])
            at += len(entries)

    def _fail(self, group: list[Share], error: Exception) -> None:
        for entries, future in group:
            self._pending -= len(entries)
            if not future.done():
                future.set_exception(error)
