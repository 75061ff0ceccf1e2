"""`shroff labels`, as one types it, over a data folder; and what the worker there makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from shroff.cli import main
from shroff.codec import decision_members, encode_transaction
from shroff.flows.publish import publish
from shroff.ports import Entry
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import open_embedded
from tests.core.samples import HOUR, START, transaction

POLICY = """
[entities]
merchant = "merchant"
[features]
merchant = ["fraud_count_7d", "labelled_count_7d"]
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["shroff", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


def write(name: str, *lines: str) -> str:
    Path(name).write_text("\n".join(lines) + "\n")
    return name


def listed(run: Run, *words: str) -> list[tuple[str, str, str, str]]:
    code, said, _ = run("labels", "list", *words, "--json")
    assert code == 0
    names = ("transaction_id", "label", "source", "known_at")
    return [tuple(each[name] for name in names) for each in json.loads(said)]


def test_labels_of_a_file_are_kept_and_importing_it_again_changes_nothing(run: Run) -> None:
    file = write("l.csv", "id,bad,when,from", "t1,1,1700003600,analyst", "t2,0,2023-11-14T23:13:20Z,")
    command = ("labels", "import", file, "--map", "transaction_id=id", "--map", "label=bad",
               "--map", "known_at=when", "--map", "source=from")  # fmt: skip
    assert run(*command)[:2] == (0, "2 labels accepted, 0 were here before\n")
    assert json.loads(run(*command, "--json")[1]) == {"accepted": 0, "repeated": 2, "rejected": 0}
    assert listed(run) == [
        ("t1", "fraud", "analyst", "2023-11-14T23:13:20.000Z"),
        ("t2", "legitimate", "chargeback", "2023-11-14T23:13:20.000Z"),
    ]
    assert [each[0] for each in listed(run, "t2", "t9")] == ["t2"]
    assert [each[0] for each in listed(run, "--limit", "1", "--after", "1")] == ["t2"]


def test_a_delay_says_when_labels_without_a_moment_became_known(run: Run) -> None:
    file = write("l.ndjson", '{"transaction_id": "t1", "label": true, "timestamp": 1700000000.5}')
    assert run("labels", "import", file, "--delay", "7d", "--source", "customer")[0] == 0
    assert listed(run) == [("t1", "fraud", "customer", "2023-11-21T22:13:20.500Z")]


def test_without_a_moment_labels_are_known_now_and_importing_them_again_changes_nothing(run: Run) -> None:
    file = write("l.csv", "transaction_id,label", "t1,fraud")
    assert "1 labels accepted" in run("labels", "import", file)[1]
    assert "0 labels accepted, 1 were here before" in run("labels", "import", file)[1]


def test_rows_that_are_no_labels_are_left_out_and_named(run: Run) -> None:
    file = write(
        "l.csv", "transaction_id,label,known_at", "t1,maybe,1700000000", ",1,1700000000", "t3,1,soon"
    )
    code, said, problems = run("labels", "import", file)
    assert (code, said) == (1, "0 labels accepted, 0 were here before\n")
    assert problems.splitlines() == [
        "shroff: l.csv, line 2: label must be one of fraud, legitimate",
        "shroff: l.csv, line 3: Missing required field: transaction_id",
        "shroff: l.csv, line 4: known_at must be a number of seconds since 1970",
        "shroff: 3 rows were left out",
    ]


def test_what_cannot_be_imported_is_told_in_a_sentence(run: Run) -> None:
    file = write("l.csv", "id,label", "t1,1")
    assert "say --map transaction_id=COLUMN" in run("labels", "import", file)[2]
    mapped = ("labels", "import", file, "--map", "transaction_id=id")
    assert "amount is no member" in run(*mapped, "--map", "amount=label")[2]
    assert run(*mapped, "--delay", "soon")[0] == 1
    assert "Missing required field: timestamp" in run(*mapped, "--delay", "1d")[2]


def test_the_worker_of_a_folder_learns_what_was_imported_and_replays_it_to_the_byte(run: Run) -> None:
    data = Path("var/data")
    moments = [f"t{n},{n % 2},{(START + (n + 2) * HOUR) / 1000}" for n in range(6)]
    run("labels", "import", write("l.csv", "transaction_id,label,known_at", *moments))
    rows = [transaction(n, n * HOUR, merchant="shop") for n in range(8)]
    with closing(open_embedded(data)) as embedded:
        policy, _ = publish(embedded.store.policies, POLICY, 1)
        for part in (rows[:5], rows[5:]):
            embedded.queue.append(
                [
                    Entry(transaction_id=e.transaction_id, body=encode_transaction(e), received_at=1)
                    for e in part
                ]
            )
            worker = worker_over(embedded)  # the second one begins with what the first one left
            worker.start()
            while worker.step():
                pass
            worker.snapshot()
        records = [each for part in embedded.store.ledger.history() for each in part]
    seen = [decision_members(each.decision, policy.snapshot_names)["features"] for each in records]
    assert [each["merchant.labelled_count_7d"] for each in seen] == [0, 0, 1, 2, 3, 4, 5, 6]
    assert [each["merchant.fraud_count_7d"] for each in seen] == [0, 0, 0, 1, 1, 2, 2, 3]
    for number in (0, 4, 7):
        assert "the same to the byte" in run("replay", f"t{number}")[1]
