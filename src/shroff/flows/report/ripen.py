"""Days whose labels have come: the scores that were given, and what the transactions turned out to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from shroff.core.backtest import FRAUD, LEGITIMATE, UNKNOWN
from shroff.core.compiled import Array
from shroff.core.reliability import Judged
from shroff.flows.compare import PolicyOf, by_policy, led_to, scores_kept
from shroff.ports import Labels, Ledger, Record

DAYS = 28
"""Ripe days that are judged together: four weeks."""

_DAY, _PAGE = 86_400_000, 10_000
Group = dict[str, list[Judged]]
"""Versions that scored together, joined by a space, the champion's first → each one's scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ripened:
    """The ripe days of a report."""

    days: dict[date, Group]
    seen: int
    """The number of the newest label that was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ripe:
    """Where labels are read, and after how many days those of a day are taken to have come."""

    ledger: Ledger
    labels: Labels
    days: int

    def of(self, day: date, policy_of: PolicyOf, kept: Mapping[str, Any] | None) -> Ripened:
        """The ripe days before a day's end that models scored, as far as possible those of a day before it.

        A day's labels are those known when it had ripened, whenever that is asked: so what was kept of it is
        what would be counted now, unless such labels came since. Then all is counted anew.
        """
        usable = kept if kept is not None and kept["label_days"] == self.days else None
        seen, late = 0, True
        if usable is None:
            seen, _ = self._since(0, 0)
        else:
            ended = _midnight(date.fromisoformat(usable["date"])) + _DAY
            seen, late = self._since(usable["labels_seen"], ended)
        known = {} if usable is None or late else usable["ripe"]
        last = day - timedelta(days=self.days)
        days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        found = {at: known.get(at.isoformat()) for at in days}
        judged = {at: self._judged(at, policy_of) if one is None else read(one) for at, one in found.items()}
        return Ripened(days=judged, seen=seen)

    def before(self, moment: int, policy_of: PolicyOf) -> dict[date, Group]:
        """The ripe days of the day of a moment in ms."""
        return self.of(datetime.fromtimestamp(moment / 1_000, UTC).date(), policy_of, None).days

    def _since(self, number: int, moment: int) -> tuple[int, bool]:
        """The newest label, and whether one that came after this number was known before a moment."""
        late = False
        while labels := self.labels.after(number, _PAGE):
            number = labels[-1].number
            late = late or any(each.known_at < moment for each in labels)
        return number, late

    def _judged(self, day: date, policy_of: PolicyOf) -> Group:
        start = _midnight(day)
        until, found = start + (self.days + 1) * _DAY, Group()
        for records in self.ledger.between(start, start + _DAY):
            for policy, some in by_policy(records, policy_of):
                if policy.model is None:
                    continue
                scores, known = scores_kept(policy, some), self._known(some, until)
                key = " ".join(policy.model.versions)
                for each, own in zip(
                    found.setdefault(key, [Judged() for _ in policy.model.versions]), scores.T, strict=True
                ):
                    each.add(own, known, led_to(policy.model, own) > 0)
        return found

    def _known(self, records: Sequence[Record], until: int) -> Array:
        """What is known of each before a moment [n]: the last word by then."""
        words: dict[str, tuple[int, int, bool]] = {}
        for label in self.labels.of([each.transaction.transaction_id for each in records]):
            word = (label.known_at, label.number, label.fraud)
            if label.known_at < until:
                words[label.transaction_id] = max(words.get(label.transaction_id, word), word)
        said = (words.get(each.transaction.transaction_id) for each in records)
        return np.array([UNKNOWN if w is None else FRAUD if w[2] else LEGITIMATE for w in said], np.int64)


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def written(found: Mapping[date, Group]) -> dict[str, Any]:
    """Ripe days as plain JSON values."""
    return {
        at.isoformat(): {key: [each.members() for each in some] for key, some in group.items()}
        for at, group in found.items()
    }


def read(group: Mapping[str, Any]) -> Group:
    """One ripe day from its plain JSON values."""
    return {key: [Judged.of(each) for each in some] for key, some in group.items()}


def together(judged: Sequence[Judged]) -> Judged:
    """All as one."""
    whole = Judged()
    for each in judged:
        whole = whole.plus(each)
    return whole
