"""Serving a data folder: the parent of gateway and worker, which starts, watches and stops them."""

from __future__ import annotations

import socket
from pathlib import Path

import structlog

from shroff.core.errors import Fault, Rejected
from shroff.runtimes.embedded.child import WorkerProcess
from shroff.runtimes.embedded.gateway_process import serve_gateway
from shroff.runtimes.embedded.locks import SERVE, held
from shroff.runtimes.wiring import is_loopback
from shroff.runtimes.wiring.embedded import channels, open_embedded

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
        with WorkerProcess(data):
            serve_gateway(data, host, port, require_key=require_key)


def _check_address(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise Rejected([Fault("port", f"cannot listen on {host}:{port}: {error}")]) from None
