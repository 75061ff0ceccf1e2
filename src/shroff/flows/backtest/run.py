"""Two policies over history: the stream of stored transactions, observed once, decided twice, counted.

::

    history ── observe ──┬── decide by the one ────┬── compare ── differences
     (5,000 a time)      └── decide by the other ──┴── count by day, outcome, label and rule

Everything before the first moment asked for is observed too, and decided by nobody: windows look back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from shroff.core.alert import Alert
from shroff.core.backtest import FRAUD, LEGITIMATE, UNKNOWN, Tally
from shroff.core.columns import Batch
from shroff.core.compiled import Array
from shroff.core.decision import Decision
from shroff.core.policy import OUTCOMES
from shroff.flows.backtest.differences import Differences, Write
from shroff.flows.backtest.sides import Side, States, Stretch
from shroff.ports import LearnedLabels, Ledger, Record

_DAY = 86_400_000
_MANY = 20_000
_PLACES = {outcome: place for place, outcome in enumerate(OUTCOMES)}


class Word(Protocol):
    """What somebody says that a transaction was, and from when on."""

    @property
    def transaction_id(self) -> str:
        """Of what it is said."""

    @property
    def fraud(self) -> bool:
        """Fraud, or legitimate."""

    @property
    def known_at(self) -> int:
        """In ms; before this moment nobody knew."""


Words = Callable[[Sequence[str]], Iterable[Word]]
"""All that is said of transactions with these ids, as it came; the last word by known_at counts."""
Progress = Callable[[int], None]
"""Told how many records were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of history."""

    start: int
    """The first occurred_at that is decided, in ms."""
    end: int
    """The first one that is not."""
    as_of: int
    """Labels that became known later are not known here."""
    mature: int | None = None
    """Milliseconds after which a transaction without a label counts as legitimate; None for never."""
    shown: int = 20
    """How many differences are kept to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened, and what is known of it."""

    ledger: Ledger
    words: Words | None = None
    learned: LearnedLabels | None = None
    """The labels that were learned on the way, so that features over them see again what they saw."""
    in_order: bool = True
    """Whether the ledger's history comes in the order of `seq`; else it comes in the order of time."""


@dataclass(slots=True)
class Seen:
    """What is known of the transactions that were decided."""

    transactions: int = 0
    first: int | None = None
    last: int | None = None
    frauds: int = 0
    legitimate: int = 0
    presumed: int = 0
    """Legitimate only because nothing was heard of them."""
    masked: int = 0
    """With a label that became known after the moment of the question."""
    unpriced: int = 0
    """In a currency without a rate: counted, but not in money."""

    @property
    def labelled(self) -> bool:
        """Whether anything is known at all."""
        return self.frauds + self.legitimate > self.presumed


@dataclass(slots=True, kw_only=True)
class Count:
    """What one side's decisions come to."""

    side: Side
    tally: Tally
    rules: dict[str, Array] = field(default_factory=dict)
    """Rule → [labels] transactions that it hit."""
    versions: dict[str, int] = field(default_factory=dict)
    """Policy version → decisions made by it."""
    _raised: dict[str, int] = field(default_factory=dict)

    def add(self, stretch: Stretch, decisions: Sequence[Decision], labels: Array, values: Array) -> None:
        """Count the decisions of a stretch."""
        outcomes = np.array([_PLACES[each.outcome] for each in decisions], np.int64)
        self.tally.add(stretch.batch.occurred_at, outcomes, labels, values)
        for decision, label in zip(decisions, labels.tolist(), strict=True):
            version = decision.policy_version
            self.versions[version] = self.versions.get(version, 0) + 1
            for reason in decision.reasons:
                self._hits(reason.rule)[label] += 1
        for alert in self.side.alerts(stretch, decisions):
            self._raise(alert)
        self._forget(stretch)

    def _hits(self, rule: str) -> Array:
        found = self.rules.get(rule)
        if found is None:
            found = self.rules[rule] = np.zeros(3, np.int64)
        return found

    def _raise(self, alert: Alert) -> None:
        if alert.alert_id not in self._raised:
            self._raised[alert.alert_id] = alert.occurred_at
            self.tally.day(alert.occurred_at // _DAY).alerts += 1

    def _forget(self, stretch: Stretch) -> None:
        """Forget alerts that nothing within the policy's lateness can hit again."""
        if len(self._raised) > _MANY:
            policy, now = self.side.policy, int(np.median(stretch.batch.occurred_at))
            since = now - policy.lateness - policy.alert_window
            self._raised = {name: at for name, at in self._raised.items() if at >= since}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """What both sides come to."""

    question: Question
    seen: Seen
    against: Count
    policy: Count
    differences: Differences


def backtest(
    question: Question,
    history: History,
    *,
    against: Side,
    policy: Side,
    write: Write | None = None,
    progress: Progress = lambda _: None,
) -> Backtested:
    """Decide history by both sides and compare them; memory does not grow with the length of history."""
    found = Backtested(
        question=question,
        seen=Seen(),
        against=Count(side=against, tally=Tally(caught_from=against.policy.alert_from)),
        policy=Count(side=policy, tally=Tally(caught_from=policy.policy.alert_from)),
        differences=Differences(shown=question.shown, write=write),
    )
    policies = [side.policy for side in (against, policy)]
    states = States(policies, history.learned, in_order=history.in_order)
    for records in history.ledger.history():
        _step(found, records, states, history.words)
        progress(len(records))
    return found


def _step(found: Backtested, records: list[Record], states: States, words: Words | None) -> None:
    batch = Batch.of([record.transaction for record in records])
    features = states.observe(records, batch)
    asked = (batch.occurred_at >= found.question.start) & (batch.occurred_at < found.question.end)
    if not asked.any():
        return
    stretch = Stretch(records=records, batch=batch, features=features)
    if not asked.all():
        chosen = [records[row] for row in np.flatnonzero(asked)]
        batch = Batch.of([record.transaction for record in chosen])
        rows = {key: each[asked] for key, each in features.items()}
        stretch = Stretch(records=chosen, batch=batch, features=rows)
    _count(found, stretch, words)


def _count(found: Backtested, stretch: Stretch, words: Words | None) -> None:
    labels = _labels(found.question, found.seen, stretch.records, words)
    money = found.against.side.policy
    values = stretch.batch.in_base(money.base_currency, money.rates)
    _see(found.seen, stretch.batch, values, labels)
    values = np.nan_to_num(values)
    one, other = (count.side.decisions(stretch) for count in (found.against, found.policy))
    found.against.add(stretch, one, labels, values)
    found.policy.add(stretch, other, labels, values)
    found.differences.compare(stretch.records, one, other, labels.tolist())


def _see(seen: Seen, batch: Batch, values: Array, labels: Array) -> None:
    first, last = int(batch.occurred_at.min()), int(batch.occurred_at.max())
    seen.transactions += len(batch)
    seen.first = first if seen.first is None else min(first, seen.first)
    seen.last = last if seen.last is None else max(last, seen.last)
    seen.frauds += int((labels == FRAUD).sum())
    seen.legitimate += int((labels == LEGITIMATE).sum())
    seen.unpriced += int(np.isnan(values).sum())


def _labels(question: Question, seen: Seen, records: Sequence[Record], words: Words | None) -> Array:
    """What is known of each record at the moment of the question, [n]."""
    labels = np.full(len(records), UNKNOWN, np.int64)
    known, later = _known(question, [record.transaction.transaction_id for record in records], words)
    for row, record in enumerate(records):
        word = known.get(record.transaction.transaction_id)
        if word is not None:
            labels[row] = FRAUD if word.fraud else LEGITIMATE
        elif (
            question.mature is not None and record.transaction.occurred_at + question.mature <= question.as_of
        ):
            labels[row] = LEGITIMATE
            seen.presumed += 1
    seen.masked += len(later - known.keys())
    return labels


def _known(question: Question, ids: Sequence[str], words: Words | None) -> tuple[dict[str, Word], set[str]]:
    """The last word on each id at the moment of the question, and the ids on which one comes later."""
    known: dict[str, Word] = {}
    later = set[str]()
    for word in () if words is None else words(ids):
        before = known.get(word.transaction_id)
        if word.known_at > question.as_of:
            later.add(word.transaction_id)
        elif before is None or word.known_at >= before.known_at:
            known[word.transaction_id] = word
    return known, later
