"""The model card: what a model was trained on, what it is worth and where it is weak."""

from shroff.flows.card.document import as_json, card
from shroff.flows.card.judged import Judged
from shroff.flows.card.page import as_page

__all__ = ["Judged", "as_json", "as_page", "card"]
