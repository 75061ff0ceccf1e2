"""The worker as a child process: started again where it dies, stopped by closing its standard input."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

import structlog

from shroff.core.errors import Retryable
from shroff.runtimes.embedded.worker_process import ONLY_DECIDE

log = structlog.get_logger()

_MOST_DEATHS = 5
"""In a row; then waiting for the worker is given up."""
_LIVED = 60.0
"""Seconds after which a death is a new story and not the last one going on."""


class WorkerProcess:
    """A worker for as long as the context lasts; what it has not begun by then stays in the queue."""

    def __init__(self, data: Path, *, only_decide: bool = False) -> None:
        self._command = [sys.executable, "-m", "shroff.runtimes.embedded.worker_process", str(data)]
        self._command += [ONLY_DECIDE] if only_decide else []
        self._stopping = Event()
        self._child: subprocess.Popen[bytes]
        self._deaths = 0
        self._watch = Thread(target=self._keep_alive, name="worker-watch", daemon=True)

    def __enter__(self) -> WorkerProcess:
        self._child = self._start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        _let_finish(self._child)
        self._watch.join(1.0)

    def check(self) -> None:
        """Raises Retryable where the worker dies again and again: waiting for it would never end."""
        if self._deaths >= _MOST_DEATHS:
            raise Retryable(f"the worker died {self._deaths} times; what is accepted is kept")

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603  # ourselves

    def _keep_alive(self) -> None:
        pause = 0.1
        while True:
            begun = time.monotonic()
            code = self._child.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - begun > _LIVED:
                pause, self._deaths = 0.1, 0
            self._deaths += 1
            log.error("worker_died", code=code, again_in=pause)
            if self._stopping.wait(pause):
                return
            pause = min(5.0, pause * 2)
            try:
                self._child = self._start()
            except OSError as error:  # no memory, no processes left: the next round may have them
                log.error("worker_not_started", cause=str(error))


def _let_finish(child: subprocess.Popen[bytes], patience: float = 30.0) -> None:
    """Let it commit the batch in hand and keep its state."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
