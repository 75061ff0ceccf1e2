"""From a labelled file to what a model is worth, by the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shroff.cli.app import app
from shroff.core.errors import Rejected
from tests.flows.evaluated import rows

START = "2023-11-15"
NAMED = ["--map", "transaction_id=ID", "--map", "label=FRAUD"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Labelled history whose columns have other names."""
    path = tmp_path / "cards.ndjson"
    lines = [row | {"ID": row["transaction_id"], "FRAUD": int(row["label"])} for row in rows()]
    for line in lines:
        del line["transaction_id"], line["label"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints."""
    app(["evaluate", *words], result_action="return_value", print_error=False, exit_on_error=False)
    return capsys.readouterr().out


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """The answer for programs, over two folds of a few days."""
    short = ["--start", START, "--delay-days", "3", "--test-days", "4", "--folds", "2", "--json"]
    found: dict[str, Any] = json.loads(said(capsys, *words, *NAMED, *short))
    return found


def test_a_model_is_trained_and_tested_and_the_same_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    found = evaluated(capsys, str(file), "--protocol", "prequential")
    assert list(found) == ["folds", "mean"]
    assert 0 < found["mean"]["average_precision"] <= 1
    assert found == evaluated(capsys, str(file), "--seed", "7")


def test_the_rules_alone_are_told_for_people_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, str(file), "--rules-alone")
    table = said(
        capsys, str(file), *NAMED, "--start", START, "--delay-days", "3", "--test-days", "4", "--folds", "2",
        "--rules-alone",
    )  # fmt: skip
    assert "average precision" in table
    assert f"{found['mean']['average_precision']:.4f}" in table


def test_a_file_without_a_label_is_refused(file: Path) -> None:
    with pytest.raises(Rejected, match="say which column tells frauds"):
        app(
            ["evaluate", str(file), "--start", START],
            result_action="return_value", print_error=False, exit_on_error=False,
        )  # fmt: skip


def test_a_holdout_is_trained_and_tested_without_a_start(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    words = [str(file), *NAMED, "--protocol", "holdout", "--delay-days", "1", "--random-state", "2"]
    found = json.loads(said(capsys, *words, "--json"))
    assert f"{found['mean']['macro_f1']:.4f}" in said(capsys, *words)
    with pytest.raises(Rejected, match="--start YYYY-MM-DD"):
        said(capsys, str(file), *NAMED)


def test_a_holdout_tries_as_many_settings_as_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    path = tmp_path / "long.ndjson"
    path.write_text("".join(json.dumps(row | {"label": int(row["label"])}) + "\n" for row in rows(60)))
    words = [str(path), "--map", "label=label", "--protocol", "holdout", "--delay-days", "1", "--json"]
    (found,) = json.loads(said(capsys, *words, "--search", "2"))["folds"]
    assert (found["search"]["tried"], found["search"]["windows"]) == (2, 2)
    assert 1 <= found["search"]["trees"] <= 300
    (plain,) = json.loads(said(capsys, *words, "--search", "0"))["folds"]
    assert "search" not in plain
    with pytest.raises(Rejected, match="--search must be from 0 to 200"):
        said(capsys, *words, "--search", "201")
