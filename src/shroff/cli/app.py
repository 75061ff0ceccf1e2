"""The commands by name; each lives in its own module, imported when it is called for."""

from __future__ import annotations

from cyclopts import App, CycloptsError

from shroff import __version__


def _sentence(error: CycloptsError) -> str:
    return f"shroff: {error}"


app = App(
    name="shroff",
    version=__version__,
    help="Transaction-fraud detection: takes transactions, decides them, looks back, reports; loses nothing.",
    help_epilogue="Start with `shroff demo`, or `shroff serve --data DIR`.",
    error_formatter=_sentence,
    suppress_keyboard_interrupt=False,
)

COMMANDS = {
    "serve": ("serve:serve", "Take transactions in over HTTP and decide them."),
    "demo": ("demo:demo", "Run everything on simulated traffic and see what was caught."),
    "simulate": ("files:simulate", "Write simulated, labelled transactions."),
    "import": ("files:import_", "Import CSV, NDJSON or Parquet."),
    "sweep": ("looking:sweep", "Look back over the last minutes."),
    "report": ("looking:report", "Write the report of one day."),
    "audit": ("looking:audit", "Check that nothing accepted is lost."),
    "replay": ("looking:replay", "Make a stored decision again and compare it."),
    "evaluate": ("evaluate:evaluate", "What features, rules and a model are worth on labelled history."),
    "train": ("train:train", "A model from labelled history, for the registry."),
    "backtest": ("backtest:backtest", "What a policy would have decided over history, beside another."),
    "policy": ("policy:app", "Check, publish, compare and roll back policies."),
    "labels": ("labels:app", "What transactions turned out to be."),
    "model": ("model:app", "The registry of models: which decides, which are compared with it."),
    "lists": ("lists:app", "Allowlists and blocklists."),
    "dead-letters": ("dead_letters:app", "What could not be processed."),
    "notifications": ("notifications:app", "Alerts that could not be delivered."),
    "transactions": ("transactions:app", "A transaction and its decision."),
    "keys": ("keys:app", "The gateway's API keys."),
    "doctor": ("doctor:doctor", "Check this installation and a data folder."),
}

for _name, (_target, _help) in COMMANDS.items():
    app.command(f"shroff.cli.{_target}", name=_name, help=_help)
