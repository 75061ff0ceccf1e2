"""Training a model on labelled history: what serves it is what measured its columns."""

from shroff.flows.train.asked import Ask, Chosen, Grow, Make, Search, Show, Split, Track
from shroff.flows.train.run import Trained, train
from shroff.flows.train.stored import KnownAt, stored_history, stored_unlabelled

__all__ = [
    "Ask",
    "Chosen",
    "Grow",
    "KnownAt",
    "Make",
    "Search",
    "Show",
    "Split",
    "Track",
    "Trained",
    "stored_history",
    "stored_unlabelled",
    "train",
]
