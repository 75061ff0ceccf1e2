"""What a policy and a model are worth on labelled history, honest by construction."""

from shroff.flows.evaluate.columns import Score, Train
from shroff.flows.evaluate.history import History, label_of, read_history
from shroff.flows.evaluate.holdout import Holdout, Tune, Tuned, hold_out
from shroff.flows.evaluate.prequential import evaluate
from shroff.flows.evaluate.protocol import Fold, Protocol

__all__ = [
    "Fold",
    "History",
    "Holdout",
    "Protocol",
    "Score",
    "Train",
    "Tune",
    "Tuned",
    "evaluate",
    "hold_out",
    "label_of",
    "read_history",
]
