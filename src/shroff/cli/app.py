"""The commands by name; each lives in its own module, imported when it is called for."""

from __future__ import annotations

from cyclopts import App

from shroff import __version__

app = App(
    name="shroff",
    version=__version__,
    help="Transaction-fraud detection: take transactions in, decide them, look back, report. Nothing accepted is lost.",
    help_epilogue="Start with `shroff demo`, or `shroff serve --data DIR`.",
)

_COMMANDS = {
    "serve": "shroff.cli.serve:serve",
    "demo": "shroff.cli.demo:demo",
    "simulate": "shroff.cli.files:simulate",
    "import": "shroff.cli.files:import_",
    "sweep": "shroff.cli.looking:sweep",
    "report": "shroff.cli.looking:report",
    "audit": "shroff.cli.looking:audit",
    "replay": "shroff.cli.looking:replay",
    "policy": "shroff.cli.policy:app",
    "lists": "shroff.cli.lists:app",
    "dead-letters": "shroff.cli.dead_letters:app",
    "notifications": "shroff.cli.notifications:app",
    "transactions": "shroff.cli.transactions:app",
    "keys": "shroff.cli.keys:app",
    "doctor": "shroff.cli.doctor:doctor",
}

for _name, _target in _COMMANDS.items():
    app.command(_target, name=_name)
