"""From labelled history to a model that the registry takes and a policy names, and its card."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shroff.cli import options
from shroff.cli.app import app
from shroff.core.errors import Rejected
from shroff.core.model_document import read_model
from shroff.flows.ingest import entry_of_members
from shroff.flows.label import label_of_members
from shroff.flows.publish import publish
from shroff.ports import FOREVER
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import open_embedded
from tests.docs.pages import ROOT
from tests.flows.evaluated import rows

pytest.importorskip("lightgbm", reason="the train extra is not installed")

POLICY = str(ROOT / "src" / "shroff" / "policies" / "default.toml")
DAY = 86_400


def written(path: Path, found: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row | {"label": int(row["label"])}) + "\n" for row in found))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "cards.ndjson", rows())


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints."""
    capsys.readouterr()
    app([*words], result_action="return_value", print_error=False, exit_on_error=False)
    return capsys.readouterr().out


def trained(
    capsys: pytest.CaptureFixture[str], file: Path, to: Path, validation: int = 7, search: int = 2
) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        ran(
            capsys, "train", str(file), "--map", "label=label", "--policy", POLICY, "--delay-days", "3",
            "--validation-days", str(validation), "--search", str(search), "--model-dir", str(to), "--json"
        )
    )  # fmt: skip
    return found


def test_the_same_file_and_seed_give_the_same_model_and_card_which_say_what_it_is_worth(
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
    names = {each.name for each in (tmp_path / "a").iterdir()}
    stem = f"model-{model.version}"
    assert names == {f"{stem}.json", f"{stem}.card.json", f"{stem}.card.html"}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_trained_model_is_registered_and_promoted(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, data = trained(capsys, file, tmp_path / "a"), str(tmp_path / "data")
    ran(capsys, "model", "import", found["file"], "--data", data)
    ran(capsys, "policy", "publish", POLICY, "--data", data)
    ran(capsys, "model", "promote", found["version"], "--data", data)
    (kept,) = json.loads(ran(capsys, "model", "list", "--data", data, "--json"))
    assert (kept["version"], kept["role"]) == (found["version"], "champion")


def test_settings_are_searched_unless_one_is_told_not_to(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = written(tmp_path / "long.ndjson", rows(60))
    found = trained(capsys, long, tmp_path / "a")
    assert found["search"]["tried"] == 2
    best = found["search"]["best"]
    assert [each["average_precision"] for each in best] == sorted(
        (each["average_precision"] for each in best), reverse=True
    )
    assert found["parameters"]["num_leaves"] == best[0]["num_leaves"]
    assert "search" not in trained(capsys, long, tmp_path / "b", search=0)
    # Where there are too few frauds before the validation days, nothing is tried.
    assert "search" not in trained(capsys, file, tmp_path / "c")


def test_thresholds_that_cost_least_are_printed_as_the_policy_has_them(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ran(
        capsys, "train", str(file), "--map", "label=label", "--policy", POLICY, "--delay-days", "3",
        "--validation-days", "7", "--search", "0", "--model-dir", str(tmp_path / "a"), "--review-cost", "5",
        "--friction-cost", "10", "--fraud-value", "300",
    )  # fmt: skip
    (document,) = (each for each in (tmp_path / "a").glob("*.json") if ".card" not in each.name)
    model = read_model(document.read_bytes())
    fragment = said[said.index("[model.thresholds]") :].partition("\n\n")[0]
    assert tomllib.loads(fragment)["model"]["thresholds"] == model.thresholds
    assert model.thresholds
    data = ("--data", str(tmp_path / "data"))
    ran(capsys, "model", "import", str(document), *data)
    ran(capsys, "policy", "publish", POLICY, *data)
    ran(capsys, "model", "promote", model.version, *data)
    published = tomllib.loads(ran(capsys, "policy", "show", *data))
    assert published["model"]["thresholds"] == model.thresholds
    assert model.trained["thresholds"]["cost"] < model.trained["thresholds"]["cost_without"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose worker has decided the same history, and was told what came of it three days later."""
    monkeypatch.setattr(options, "configure_logs", lambda _: None)  # it is for the whole process
    embedded = open_embedded(tmp_path / "data")
    publish(embedded.store.policies, Path(POLICY).read_text(), 0)
    plain = [{name: value for name, value in row.items() if name != "label"} for row in rows()]
    embedded.queue.append([entry_of_members(each, currency="USD", received_at=0) for each in plain])
    worker_over(embedded).step()
    labels = [
        {
            "transaction_id": row["transaction_id"],
            "label": "fraud" if row["label"] else "legitimate",
            "source": "chargeback",
            "known_at": row["timestamp"] + 3 * DAY,
        }
        for row in rows()
    ]
    embedded.store.labels.add([label_of_members(each, FOREVER) for each in labels])
    embedded.close()
    return tmp_path / "data"


def from_store(capsys: pytest.CaptureFixture[str], data: Path, folder: Path, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        ran(
            capsys, "train", "--data", str(data), "--delay-days", "3", "--validation-days", "7", "--search",
            "0", "--model-dir", str(folder), "--json", *more
        )
    )  # fmt: skip
    return found


def test_what_a_system_has_stored_trains_the_model_that_the_same_history_in_a_file_does(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = from_store(capsys, data, tmp_path / "a")
    # The newest three may be of clocks that are ahead.
    shorter = written(tmp_path / "shorter.ndjson", rows()[:-3])
    assert stored["version"] == trained(capsys, shorter, tmp_path / "b", search=0)["version"]


def test_what_nobody_has_said_anything_of_counts_as_legitimate_after_so_many_days(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embedded = open_embedded(data)
    fresh = open_embedded(tmp_path / "frauds")
    publish(fresh.store.policies, Path(POLICY).read_text(), 0)
    fresh.queue.append([
        entry_of_members({name: value for name, value in row.items() if name != "label"}, currency="USD",
                         received_at=0) for row in rows()
    ])  # fmt: skip
    worker_over(fresh).step()
    fresh.store.labels.add([each for each in embedded.store.labels.after(0, 9_999) if each.fraud])
    embedded.close()
    fresh.close()
    with pytest.raises(Rejected, match="no stored transaction is known to be legitimate: with --mature-days"):
        from_store(capsys, tmp_path / "frauds", tmp_path / "a")
    found = from_store(capsys, tmp_path / "frauds", tmp_path / "a", "--mature-days", "3")
    everything = from_store(capsys, data, tmp_path / "b")
    assert found["delay_days"] == 3
    assert from_store(capsys, tmp_path / "frauds", tmp_path / "a", "--mature-days", "5")["delay_days"] == 5
    # What is presumed trains, and is no label that a feature could count.
    assert found["transactions"] == everything["transactions"]
    assert found["frauds"] == everything["frauds"]
    assert found["usual"]["merchant.labelled_count_30d"] < everything["usual"]["merchant.labelled_count_30d"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "say what to train on: a FILE, or --data DIR"),
        (("h.csv", "--data", "d"), "not on both"),
        (("--data", "d", "--map", "label=x"), "--map is for the columns of a FILE"),
        (("--data", "d", "--mature-days", "-1"), "--mature-days -1 must be from 0"),
        (("h.csv", "--mature-days", "3"), "--mature-days goes with --data"),
        (("h.csv", "--review-cost", "3"), "--review-cost and --friction-cost go together"),
        (("h.csv", "--fraud-value", "much"), '--fraud-value "much" must be amount or a number'),
        (("h.csv", "--search", "-1"), "--search must be from 0 to 200"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Rejected, match=sentence):
        app(["train", *words], result_action="return_value", print_error=False, exit_on_error=False)


def test_history_that_is_too_short_is_refused_with_what_to_do(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Rejected, match="fewer --validation-days"):
        trained(capsys, file, tmp_path, validation=60)


def test_a_folder_that_cannot_be_made_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Rejected, match="cannot write"):
        trained(capsys, file, file / "under")
