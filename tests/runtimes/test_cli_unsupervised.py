"""From a file without labels to a score that decides beside the rules on the first day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shroff.cli.app import app
from shroff.core.errors import Rejected
from shroff.core.model_document import read_model
from shroff.flows.ingest import entry_of_members
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import open_embedded


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints."""
    capsys.readouterr()
    app([*words], result_action="return_value", print_error=False, exit_on_error=False)
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated customers, with a column that tells frauds."""
    place = tmp_path_factory.mktemp("unsupervised") / "history.ndjson"
    words = ["simulate", "--days", "21", "--customers", "100", "--seed", "3", "--out", str(place)]
    app(words, result_action="return_value", print_error=False, exit_on_error=False)
    return place


def test_day_one_from_a_file_to_decisions_that_say_what_was_unusual(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", str(file), "--unsupervised", "--name", "usual", "--model-dir", str(tmp_path), "--json")
    found = json.loads(ran(capsys, *words))
    assert found["worth"] == {}
    assert found["meaning"].startswith("rarity, not a probability")
    data = tmp_path / "data"
    for step in (("import", found["file"]), ("promote", found["version"])):
        ran(capsys, "model", *step, "--data", str(data))
    assert "review = 0.2" in ran(capsys, "policy", "show", "--data", str(data))
    decided = decisions(data, file)
    by_model = [each for each in decided if any(reason.rule == "model" for reason in each.reasons)]
    assert 0 < len(by_model) < len(decided) / 100
    (said,) = [reason.reason for reason in by_model[0].reasons if reason.rule == "model"]
    assert "; usually " in said
    ran(capsys, "policy", "rollback", "--data", str(data))
    assert "[model]" not in ran(capsys, "policy", "show", "--data", str(data))


def decisions(data: Path, file: Path) -> list[Any]:
    """Those of the file's transactions, as the worker makes them."""
    working = open_embedded(data)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    keys = ("fraud", "typology")
    members = [{name: value for name, value in row.items() if name not in keys} for row in rows]
    working.queue.append([entry_of_members(each, currency="USD", received_at=0) for each in members])
    worker = worker_over(working)
    while worker.step():
        pass
    found = [record.decision for part in working.store.ledger.history() for record in part]
    working.close()
    return found


def test_a_mapped_label_shows_what_the_score_is_worth_and_teaches_it_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", str(file), "--unsupervised", "--model-dir")
    blind = ran(capsys, *words, str(tmp_path / "a"))
    seeing = ran(capsys, *words, str(tmp_path / "b"), "--map", "label=fraud")
    assert "rules and score" in seeing
    assert "rules and score" not in blind
    (one,), (other,) = ([*(tmp_path / name).iterdir()] for name in "ab")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    assert read_model(one.read_bytes()).thresholds == {"review": 0.2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--review-cost", "5"), "no labels for costs"),
        (("--review-capacity", "10"), "no labels for costs"),
        (("--data", "there"), "not on both"),
    ],
)
def test_what_needs_labels_is_refused_without(file: Path, words: tuple[str, str], said: str) -> None:
    with pytest.raises(Rejected, match=said):
        app(["train", str(file), "--unsupervised", *words], result_action="return_value", exit_on_error=False)


def test_what_is_stored_teaches_the_same_as_the_file_it_came_from(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decisions(tmp_path / "data", file)
    lines = sorted(file.read_text().splitlines(), key=lambda line: float(json.loads(line)["timestamp"]))
    without = tmp_path / "without.ndjson"
    without.write_text(
        "\n".join(lines[:-3])
    )  # of what is stored the newest three may be clocks that are ahead
    words = ("train", "--unsupervised", "--model-dir", str(tmp_path), "--json")
    stored = json.loads(ran(capsys, *words, "--data", str(tmp_path / "data")))
    assert stored["version"] == json.loads(ran(capsys, *words, str(without)))["version"]
