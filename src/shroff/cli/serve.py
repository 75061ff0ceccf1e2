"""`shroff serve`: gateway and worker over one data folder."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

from shroff.cli.options import HERE, Place, folder

Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65_535))]


def serve(*, place: Place = HERE, host: str = "127.0.0.1", port: Port = 8080) -> None:
    """Take transactions in over HTTP and decide them, until SIGTERM or Ctrl-C.

    On a loopback address no key is asked for; elsewhere make one with `shroff keys create`.
    """
    from shroff.runtimes.embedded.serve import serve as run
    from shroff.runtimes.logs import configure_logs

    configure_logs()
    run(folder(place, "on AWS the stack's functions serve"), host, port)
