"""Weeks of payments that a champion and a challenger scored, and the reports of their days."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from shroff.core.model_document import model_document
from shroff.core.transaction import Transaction
from shroff.flows.figures import WATCH
from shroff.flows.models import KnownModels, register, with_plan
from shroff.flows.publish import publish
from shroff.flows.report import CSV, HTML, JSON, Ripe, report
from shroff.ports import Label
from tests.core.models import stump
from tests.flows.pipeline import Pipeline
from tests.report.world import DAY_LONG, EMPTY, HOUR

FIRST_DAY = date(2018, 7, 2)
"""A Monday."""
START = int(datetime(2018, 7, 2, tzinfo=UTC).timestamp()) * 1_000

DOCUMENT = """
name = "watched"
[entities]
customer = "customer_id"
[attributes]
risk = "number"
[features]
customer = ["count_1h", "amount_mean_1d"]
[[rules]]
name = "early"
when = "hour < 1"
outcome = "challenge"
score = 0.1
[[rules]]
name = "large"
when = "amount > 100"
outcome = "challenge"
score = 0.1
[[rules]]
name = "huge"
when = "amount > 1000000"
outcome = "decline"
score = 0.9
"""
CHAMPION = stump("champion", {"amount": (60.0, -2.0, 1.5)})
CHALLENGER = stump("challenger", {"attributes.risk": (0.5, -3.0, 3.0)})
"""The frauds are those of a risk above a half; the champion does not look there."""


class Shelf:
    """Reports in memory."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}

    def write(self, date, files):
        self.files |= {(date, name): b"".join(parts) for name, parts in files.items()}
        return [f"memory:{date}/{name}" for name in files]

    def read(self, date, name):
        return self.files.get((date, name))


class Weeks:
    """Days of payments, decided and reported one after the other."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(DOCUMENT)
        self.store, self.shelf, self.dice = self.pipeline.store, Shelf(), np.random.default_rng(7)
        for model in (CHAMPION, CHALLENGER):
            register(self.store.models, model_document(model), 0)
        document = with_plan(DOCUMENT, CHAMPION.version, [CHALLENGER.version])
        document += "[model.thresholds]\nreview = 0.5\n"
        known = KnownModels(self.store.models)
        self.pipeline.policy, _ = publish(self.store.policies, document, 1, known)
        self.days = 0

    def day(
        self, n: int = 200, *, times: float = 1.0, hours: tuple[int, int] = (0, 24), told: int = 3
    ) -> date:
        """One more day of payments; their labels come `told` days later. Returns it."""
        start = START + self.days * DAY_LONG
        occurred = np.sort(self.dice.integers(hours[0] * HOUR, hours[1] * HOUR, n))
        amounts = np.minimum(self.dice.exponential(2_000, n), 9_999) * times + 1
        risks = self.dice.random(n) ** 3
        made = [
            Transaction(
                transaction_id=f"{self.days}-{at}", amount_minor=int(amounts[at]), currency="USD",
                occurred_at=start + int(occurred[at]), customer_id=f"c{at % 40}", merchant="m",
                attributes={"risk": float(risks[at])},
            )
            for at in range(n)
        ]  # fmt: skip
        self.pipeline.run(made, batch=1_000)
        labels = [
            Label(
                transaction_id=each.transaction_id, fraud=bool(risk > 0.5 and self.dice.random() < 0.8),
                source="chargeback", known_at=each.occurred_at + told * DAY_LONG, received_at=1,
            )
            for each, risk in zip(made, risks, strict=True)
        ]  # fmt: skip
        self.store.labels.add(labels)
        self.days += 1
        return FIRST_DAY + timedelta(days=self.days - 1)

    def report(self, day: date, *, label_days: int | None = 3) -> dict[str, Any]:
        """Report a day, and read what it says."""
        ripe = None
        if label_days is not None:
            ripe = Ripe(ledger=self.store.ledger, labels=self.store.labels, days=label_days)
        report(
            day,
            ledger=self.store.ledger,
            alerts=self.store.alerts,
            dead_letters=self.store.dead_letters,
            policies=self.store.policies,
            audit=EMPTY,
            reports=self.shelf,
            ripe=ripe,
        )
        found: dict[str, Any] = json.loads(self.shelf.files[day.isoformat(), JSON])
        return found

    def reported(self, days: int) -> None:
        """So many usual days, each with its report."""
        for _ in range(days):
            self.report(self.day())

    def files(self, day: date) -> list[bytes]:
        return [self.shelf.files[day.isoformat(), name] for name in (CSV, JSON, HTML, WATCH)]

    def page(self, day: date) -> str:
        return self.shelf.files[day.isoformat(), HTML].decode()
