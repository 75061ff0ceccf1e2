"""The gateway's process: one event loop under Granian, with its own connections."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import structlog
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from shroff.api.gateway.application import Gateway
from shroff.api.gateway.settings import GatewaySettings
from shroff.runtimes.logs import configure_logs
from shroff.runtimes.settings import read_settings
from shroff.runtimes.wiring.embedded import gateway_ports

_DATA, _REQUIRE_KEY = "SHROFF_GATEWAY_DATA", "SHROFF_GATEWAY_REQUIRE_KEY"
log = structlog.get_logger()

_LIVED = 30.0
"""Seconds after which a death is a new story and not the last one going on."""
_PATIENCE = 2.0
"""Seconds for requests to end after the parent died."""


def serve_gateway(data: Path, host: str, port: int, *, require_key: bool) -> None:
    """Serve a data folder until SIGTERM or SIGINT, and let requests end first; starts again what dies."""
    # Granian starts the gateway in a process of its own, which is told by its environment alone. Started
    # anew, not forked: a fork would keep open the pipes by which the parent talks to the worker.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ[_DATA] = str(data)
    os.environ[_REQUIRE_KEY] = "1" if require_key else ""
    pause = 0.1
    while True:
        server, begun = _granian(host, port), time.monotonic()
        with suppress(SystemExit):  # how Granian gives up on a gateway that died twice within seconds
            server.serve()
        if not server.interrupt_signal:
            pause = 0.1 if time.monotonic() - begun > _LIVED else min(5.0, pause * 2)
            log.error("gateway_died", again_in=pause)
            time.sleep(pause)
        if server.interrupt_signal:
            return


def _granian(host: str, port: int) -> Any:
    return Granian(
        f"{__name__}:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=Loops.auto,
        workers=1,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        websockets=False,
        backlog=2048,
        workers_kill_timeout=30,
    )


def application() -> Gateway:
    """The gateway over the data folder that the environment names."""
    configure_logs()
    _end_with_parent()
    data = Path(os.environ[_DATA])
    settings = read_settings(data)
    return Gateway(
        gateway_ports(data),
        GatewaySettings(
            currency=settings.currency,
            high_water=settings.high_water,
            decision_timeout=int(settings.decision_timeout * 1000),
            require_key=bool(os.environ[_REQUIRE_KEY]),
        ),
    )


def _end_with_parent() -> None:
    """Leave the port to the next server where the parent was killed and could stop nothing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE)
        os._exit(1)  # what was answered is durable already: nothing is lost by not waiting longer

    Thread(target=watch, name="parent", daemon=True).start()
