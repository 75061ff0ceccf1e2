"""`shroff demo`: everything at once, with planted fraud."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from threading import Event
from typing import Annotated

from cyclopts import Parameter

from shroff.cli.options import Place, folder

_HERE = Place(data=Path("var/demo"))


def demo(
    *,
    place: Place = _HERE,
    for_: Annotated[
        float | None, Parameter(name="--for", help="Seconds to run; until Ctrl-C unless given.")
    ] = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    seed: int = 7,
) -> None:
    """Start everything on simulated traffic with planted fraud, watch it, and see what was caught."""
    from shroff.runtimes.demo.play import play
    from shroff.runtimes.logs import configure_logs

    configure_logs(logging.WARNING)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    data = folder(place, "the demo runs on this machine")
    play(data, host=host, port=port, seconds=for_, seed=seed, stop=stop)
