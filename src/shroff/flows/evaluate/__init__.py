"""What a policy and a model are worth on labelled history, honest by construction."""

from shroff.flows.evaluate.columns import Score, Train
from shroff.flows.evaluate.history import History, label_of, read_history
from shroff.flows.evaluate.prequential import evaluate
from shroff.flows.evaluate.protocol import Fold, Protocol

__all__ = ["Fold", "History", "Protocol", "Score", "Train", "evaluate", "label_of", "read_history"]
