"""From a labelled file to a model that the registry takes and a policy names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shroff.cli.app import app
from shroff.core.errors import Rejected
from shroff.core.model_document import read_model
from tests.docs.pages import ROOT
from tests.flows.evaluated import rows

pytest.importorskip("lightgbm", reason="the train extra is not installed")

POLICY = str(ROOT / "examples" / "evaluation.toml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cards.ndjson"
    path.write_text("".join(json.dumps(row | {"label": int(row["label"])}) + "\n" for row in rows()))
    return path


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints."""
    app([*words], result_action="return_value", print_error=False, exit_on_error=False)
    return capsys.readouterr().out


def trained(
    capsys: pytest.CaptureFixture[str], file: Path, folder: Path, validation: int = 7
) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        ran(
            capsys, "train", str(file), "--map", "label=label", "--policy", POLICY, "--delay-days", "3",
            "--validation-days", str(validation), "--model-dir", str(folder), "--json"
        )
    )  # fmt: skip
    return found


def test_the_same_file_and_seed_give_the_same_model_which_says_what_it_is_worth(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = trained(capsys, file, tmp_path / "a")
    model = read_model(Path(found["file"]).read_bytes())
    assert model.version == found["version"] == trained(capsys, file, tmp_path / "b")["version"]
    assert found["train_to"] < found["validation_from"] < found["validation_to"]
    measures = found["measures"]
    by_chance = measures["frauds"] / measures["transactions"]
    assert 2 * by_chance < measures["average_precision"] <= 1
    # Whole days, so up to one more; the newest three have no known labels.
    assert 7 * 40 <= measures["transactions"] < 8 * 40


def test_a_trained_model_is_registered_and_promoted(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, data = trained(capsys, file, tmp_path / "a"), str(tmp_path / "data")
    ran(capsys, "model", "import", found["file"], "--data", data)
    ran(capsys, "policy", "publish", POLICY, "--data", data)
    ran(capsys, "model", "promote", found["version"], "--data", data)
    (kept,) = json.loads(ran(capsys, "model", "list", "--data", data, "--json"))
    assert (kept["version"], kept["role"]) == (found["version"], "champion")


def test_history_that_is_too_short_is_refused_with_what_to_do(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Rejected, match="fewer --validation-days"):
        trained(capsys, file, tmp_path, 60)


def test_a_folder_that_cannot_be_made_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Rejected, match="cannot write"):
        trained(capsys, file, file / "under")
