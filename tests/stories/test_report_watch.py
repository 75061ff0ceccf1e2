"""An analyst's morning: the report says what changed, which rule fell silent, and which model knew better."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from shroff.core.model_document import model_document
from shroff.flows.ingest import entry_of_members
from shroff.flows.models import KnownModels, register, with_plan
from shroff.flows.publish import publish
from shroff.ports import Label
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import Embedded, open_embedded
from tests.report.watched import CHALLENGER, CHAMPION, DOCUMENT, START
from tests.report.world import DAY_LONG
from tests.stories.test_model_registry import told

DAYS, A_DAY = 9, 100


def posted(
    embedded: Embedded, day: int, n: int, dice: np.random.Generator, *, times: int, first: int
) -> None:
    """A day of payments, and two days later what they were."""
    risks, moments = dice.random(n), np.sort(dice.integers(first, 86_400, n))
    entries, labels = [], []
    for at, (risk, moment) in enumerate(zip(risks.tolist(), moments.tolist(), strict=True)):
        seconds = START // 1_000 + day * DAY_LONG // 1_000 + moment
        name = f"{day}-{at}"
        members = {
            "transaction_id": name, "amount": times * (1 + at % 50), "timestamp": seconds,
            "customer_id": f"c{at % 9}", "merchant": "m", "risk": risk,
        }  # fmt: skip
        entries.append(entry_of_members(members, currency="USD", received_at=START))
        known_at = seconds * 1_000 + 2 * DAY_LONG
        labels.append(
            Label(transaction_id=name, fraud=risk > 0.8, source="analyst", known_at=known_at, received_at=1)
        )
    embedded.queue.append(entries)
    embedded.store.labels.add(labels)


def filled(data: Path) -> None:
    """Nine days like each other, and a tenth of larger amounts, on which nobody pays in the first hour."""
    data.mkdir()
    (data / "settings.toml").write_text("label_days = 2\n")
    embedded, dice = open_embedded(data), np.random.default_rng(3)
    try:
        for model in (CHAMPION, CHALLENGER):
            register(embedded.store.models, model_document(model), 0)
        document = with_plan(DOCUMENT, CHAMPION.version, [CHALLENGER.version])
        document = document.replace("hour < 1", "hour < 3") + "[model.thresholds]\nreview = 0.5\n"
        publish(embedded.store.policies, document, 1, KnownModels(embedded.store.models))
        for day in range(DAYS):
            posted(embedded, day, A_DAY, dice, times=1, first=0)
        posted(embedded, DAYS, 6 * A_DAY, dice, times=9, first=10_800)
        worker = worker_over(embedded)
        worker.start()
        while worker.step():
            pass
    finally:
        embedded.close()


def test_what_changed_is_told_with_the_report_and_the_better_model_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    filled(data)
    here = ("--data", data)
    for day in range(2, 2 + DAYS):
        quiet = json.loads(told(capsys, "report", "--date", f"2018-07-{day:02d}", "--json", *here))
    assert not [said for said in quiet["warnings"] if "shifted" in said or "Rule" in said]
    said = told(capsys, "report", "--date", "2018-07-11", *here).splitlines()
    assert [line.rpartition(".")[2] for line in said[:3]] == ["csv", "json", "html"]
    assert any(line.startswith("amount has shifted (PSI ") for line in said[3:])
    assert any(line.startswith("Rule early has gone silent: no hit, where ") for line in said[3:])
    assert any(
        line.startswith(f"Model {CHAMPION.version} scored too low in the week of ") for line in said[3:]
    )
    shown = told(capsys, "model", "show", CHALLENGER.version, "--days", "20", *here)
    assert f"unlike {CHAMPION.version}: " in shown
    assert "average precision 0." in shown
    [beside] = json.loads(told(capsys, "model", "show", CHALLENGER.version, "--json", *here))["compared"]
    assert beside["labelled"]["recall"] > 0.9 > beside["labelled"]["champion"]["recall"]
