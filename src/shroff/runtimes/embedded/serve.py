"""Serving a data folder: the parent of gateway and worker, which starts, watches and stops them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import structlog

from shroff.core.errors import Fault, Rejected
from shroff.runtimes.embedded.gateway_process import gateway_server
from shroff.runtimes.embedded.locks import SERVE, held
from shroff.runtimes.wiring import channels, is_loopback, open_embedded

log = structlog.get_logger()


def serve(data: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises Rejected where the folder or the address cannot be had."""
    embedded = open_embedded(data)
    channels(embedded.settings)  # a setting that cannot work is told now, not by the worker's log
    required = embedded.settings.require_key
    require_key = not is_loopback(host) if required is None else required
    keys = [key for key in embedded.store.keys.all() if not key.revoked]
    embedded.close()
    with held(data, SERVE) as had:
        if not had:
            raise Rejected([Fault("data", f"another shroff serves {data}; stop it, or give another --data")])
        _check_address(host, port)
        if require_key and not keys:
            log.warning("no_keys", hint=f"make one with: shroff keys create NAME --data {data}")
        worker = WorkerProcess(data)
        worker.start()
        try:
            gateway_server(data, host, port, require_key=require_key)()
        finally:
            worker.stop()


def _check_address(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise Rejected([Fault("port", f"cannot listen on {host}:{port}: {error}")]) from None


class WorkerProcess:
    """The worker as a child: started again where it dies, stopped by closing its standard input."""

    def __init__(self, data: Path) -> None:
        self._command = [sys.executable, "-m", "shroff.runtimes.embedded.worker_process", str(data)]
        self._stopping = Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._watch = Thread(target=self._keep_alive, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start it, and again whenever it dies."""
        self._watch.start()

    def stop(self, patience: float = 30.0) -> None:
        """Let the worker finish the batch in hand; what it has not begun stays in the queue."""
        self._stopping.set()
        child = self._child
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                child.kill()
        self._watch.join(1.0)

    def _keep_alive(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603  # ourselves
            code = self._child.wait()
            if not self._stopping.is_set():
                log.error("worker_died", code=code, again_in=pause)
                self._stopping.wait(pause)
                pause = min(5.0, pause * 2)
