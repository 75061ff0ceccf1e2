"""`shroff backtest` over a data folder, and the page about it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shroff.cli import options
from shroff.cli.app import app
from shroff.core.errors import Rejected
from shroff.flows.ingest import entry_of_members
from shroff.flows.label import label_of_members
from shroff.flows.publish import publish
from shroff.ports import FOREVER
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring import default_policy
from shroff.runtimes.wiring.embedded import open_embedded
from tests.docs.pages import prose, text

START = 1_700_000_000


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three days of payments, every 20th of them large."""
    monkeypatch.setattr(options, "configure_logs", lambda _: None)  # it is for the whole process
    monkeypatch.chdir(tmp_path)
    embedded = open_embedded(tmp_path / "data")
    document = re.sub(r'when = """customer.count_30d >= 5 and amount > 500.*?"""', 'when = "amount > 500"',
                      default_policy(), flags=re.DOTALL)  # fmt: skip
    publish(embedded.store.policies, document, 0)
    members = [
        {
            "transaction_id": f"t{n}", "amount": 900 if n % 20 == 19 else 10,
            "timestamp": START + n * 3600, "customer_id": "ann", "card_id": "4111111111111111",
        }
        for n in range(72)
    ]  # fmt: skip
    embedded.queue.append([entry_of_members(each, currency="USD", received_at=0) for each in members])
    worker_over(embedded).step()
    embedded.close()
    Path("new.toml").write_text(document.replace('outcome = "review"', 'outcome = "decline"'))
    return tmp_path / "data"


@pytest.fixture
def labels(data: Path) -> None:
    """Of the large payments one is legitimate."""
    embedded = open_embedded(data)
    words = [
        {"transaction_id": f"t{n}", "label": word, "source": "analyst", "known_at": START + 90 * 3600}
        for n, word in ((19, "fraud"), (39, "legitimate"), (59, "fraud"), (0, "fraud"))
    ]
    embedded.store.labels.add([label_of_members(each, FOREVER) for each in words])
    embedded.close()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    app(
        ["backtest", *words, "--data", "data"],
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
    )
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, *words, "--json"))
    return found


@pytest.mark.usefixtures("data")
def test_the_policy_in_force_differs_on_nothing_from_what_is_stored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = said(capsys, "--policy", "current", "--against", "stored")
    assert "\ncurrent and stored differ on 0 transactions.\n" in answer
    assert "note: No labels were known by " in answer
    assert "72 transactions of 4 days, 2023-11-14T22:13:20.000Z to " in answer


@pytest.mark.usefixtures("data")
def test_a_file_is_set_beside_the_policy_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "--policy", "new.toml")
    assert "They differ on 3 transactions: 3 in outcome, 3 in reasons" in answer
    assert "3 from review to decline" in answer
    assert re.search(r"^amount_far_above_habit +3 +3 +\+0", answer, re.MULTILINE)


@pytest.mark.usefixtures("labels")
def test_with_labels_it_says_what_is_caught_missed_and_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "--policy", "new.toml")
    assert re.search(r"^fraud caught +2 +2 +\+0", answer, re.MULTILINE)
    assert re.search(r"^precision +66\.7% \[", answer, re.MULTILINE)
    assert re.search(r"^fraud caught .*\n  in USD +1,800\.00 +1,800\.00 +\+0\.00", answer, re.MULTILINE)
    assert re.search(r"^fraud missed .*\n  in USD +10\.00 ", answer, re.MULTILINE)
    assert re.search(r"^legitimate declined .*\n  in USD +0\.00 +900\.00 +\+900\.00", answer, re.MULTILINE)
    assert "note:" not in answer


@pytest.mark.usefixtures("labels")
def test_labels_of_after_the_moment_asked_for_are_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    before = told(capsys, "--policy", "new.toml", "--as-of", str(START + 90 * 3600 - 1))
    assert before["labels"] is before["policy"]["quality"] is None
    assert "; 4 are of later: " in before["notes"][0]
    then = told(capsys, "--policy", "new.toml", "--as-of", str(START + 90 * 3600))
    assert (then["labels"]["fraud"], then["labels"]["unknown"]) == (3, 68)
    silent = told(capsys, "--policy", "new.toml", "--as-of", str(START + 90 * 3600), "--mature-days", "0")
    assert (silent["labels"]["presumed_legitimate"], silent["labels"]["unknown"]) == (68, 0)


@pytest.mark.usefixtures("data")
def test_all_differences_go_to_a_file_and_the_first_to_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "--policy", "new.toml", "--differences", "all.ndjson", "--show", "1")
    written = [json.loads(line) for line in Path("all.ndjson").read_text().splitlines()]
    assert [each["transaction_id"] for each in written] == ["t19", "t39", "t59"]
    assert found["differences"]["first"] == written[:1]
    assert "4111" not in Path("all.ndjson").read_text()
    assert sorted(path.name for path in Path().iterdir()) == ["all.ndjson", "data", "new.toml"]


@pytest.mark.usefixtures("data")
def test_the_span_is_from_the_first_moment_up_to_the_second(capsys: pytest.CaptureFixture[str]) -> None:
    span = ("--from", str(START + 19 * 3600), "--to", str(START + 59 * 3600))
    found = told(capsys, "--policy", "new.toml", *span)
    assert (found["transactions"], found["differences"]["transactions"]) == (40, 2)
    empty = said(capsys, "--policy", "new.toml", "--from", "2030-01-01")
    assert empty == "No transaction is stored of that time.\n"


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--policy", "nothing.toml"], 'no policy "nothing.toml" here'),
        (["--policy", "current", "--from", "200", "--to", "100"], "--to must be later than --from"),
        (["--policy", "current", "--show", "-1"], "--show -1 must be from 0 to 1000"),
        (["--policy", "current", "--mature-days", "-1"], "--mature-days -1 must be from 0 to 4000"),
        (
            ["--policy", "current", "--minutes-per-alert", "nan"],
            "--minutes-per-alert nan must be from 0 to 1440",
        ),
        (["--policy", "current", "--seed", "-1"], "--seed -1 must not be negative"),
        (
            ["--policy", "current", "--differences", "no/such.ndjson"],
            "cannot write no/such.ndjson: No such file",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(Rejected, match=re.escape(sentence)):
        app(
            ["backtest", *words, "--data", "data"],
            result_action="return_value",
            print_error=False,
            exit_on_error=False,
        )


@pytest.mark.usefixtures("labels")
def test_every_member_of_the_answer_is_explained_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    explained = set(re.findall(r"`([a-z_]+)`", prose(text("docs/backtest.md"))))
    found = told(capsys, "--policy", "new.toml")
    side = found["policy"]
    objects = (
        found, found["labels"], found["change"], found["differences"], found["differences"]["first"][0], side,
        side["quality"], side["outcomes"]["approve"], side["rules"]["new_country"], side["alerts_per_day"],
    )  # fmt: skip
    assert set().union(*objects) - explained == set()
