"""What a policy would have decided over history, beside what another did."""

from shroff.flows.backtest.result import Telling, members
from shroff.flows.backtest.run import Backtested, History, Question, Word, Words, backtest
from shroff.flows.backtest.sides import AsStored, Known, ListHits, MadeAgain, Side

__all__ = [
    "AsStored",
    "Backtested",
    "History",
    "Known",
    "ListHits",
    "MadeAgain",
    "Question",
    "Side",
    "Telling",
    "Word",
    "Words",
    "backtest",
    "members",
]
