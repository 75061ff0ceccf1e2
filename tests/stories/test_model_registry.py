"""A data scientist's way with the command line: from a model's file to a champion, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shroff.cli.app import app
from shroff.core.errors import Rejected
from shroff.core.model_document import model_document
from shroff.flows.ingest import entry_of_members
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import open_embedded
from tests.core.models import stump

CHAMPION = stump("amounts", {"amount": (100.0, -3.0, 4.0)}, usual={"amount": 20.0})
CHALLENGER = stump("nights", {"hour": (5.0, 3.0, -3.0)})
HUNGRY = stump("hungry", {"customer.count_9d": (1.0, 0.0, 1.0)})


def told(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    capsys.readouterr()
    app([str(word) for word in words], result_action="return_value")
    return capsys.readouterr().out


def decided(data: Path, number: int, amount: int) -> None:
    """Post a transaction and have a worker, started anew, decide it."""
    embedded = open_embedded(data)
    try:
        members = {
            "transaction_id": f"t{number}", "amount": amount, "timestamp": 1_700_000_000 + number,
            "customer_id": "ann", "merchant": "shop",
        }  # fmt: skip
        embedded.queue.append([entry_of_members(members, currency="USD", received_at=1_700_000_000_000)])
        worker = worker_over(embedded)
        worker.start()
        worker.step()
    finally:
        embedded.close()


def test_a_model_is_imported_promoted_compared_replayed_and_undone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    here = ("--data", data)
    for model in (CHAMPION, CHALLENGER, HUNGRY):
        file = tmp_path / f"{model.name}.json"
        file.write_bytes(model_document(model))
        assert model.version in told(capsys, "model", "import", file, *here)
    with pytest.raises(Rejected, match=r"customer\.count_9d"):
        told(capsys, "model", "promote", HUNGRY.version, *here)
    decided(data, 1, 500)
    assert "decides by policy" in told(capsys, "model", "promote", CHAMPION.version[:10], *here)
    assert "scores in shadow" in told(capsys, "model", "promote", CHALLENGER.version, "--shadow", *here)
    for number, amount in enumerate((500, 20, 600, 30), 2):
        decided(data, number, amount)
    listed = json.loads(told(capsys, "model", "list", "--json", *here))
    assert {each["name"]: each["role"] for each in listed} == {
        "amounts": "champion", "nights": "shadow", "hungry": None,
    }  # fmt: skip
    shown = json.loads(told(capsys, "transactions", "show", "t2", *here, "--json"))["decision"]
    assert "The model scores 0.95: Amount 500; usually 20" in [each["reason"] for each in shown["reasons"]]
    assert shown["features"][f"model.{CHALLENGER.version}"] < 0.1
    compared = json.loads(told(capsys, "model", "show", CHALLENGER.version, "--json", *here))["compared"]
    # The newest three may be of clocks that are ahead, and are not looked at yet.
    assert [(each["champion"], each["transactions"]) for each in compared] == [(CHAMPION.version, 1)]
    assert "mean score" in told(capsys, "model", "show", CHALLENGER.version, *here)
    assert "the same to the byte" in told(capsys, "replay", "t4", *here)
    assert "the same to the byte" in told(capsys, "replay", "t1", *here)
    told(capsys, "model", "retire", CHALLENGER.version, *here)
    assert "retired" in told(capsys, "model", "list", *here)
    with pytest.raises(Rejected, match="promote another"):
        told(capsys, "model", "retire", CHAMPION.version, *here)
    told(capsys, "policy", "show", *here)
    policy = tmp_path / "policy.toml"
    policy.write_text(told(capsys, "policy", "show", *here).replace(CHAMPION.version, "0" * 16))
    with pytest.raises(Rejected, match=f"no model {'0' * 16} here"):
        told(capsys, "policy", "check", policy, *here)
    for _ in range(3):
        first = json.loads(told(capsys, "policy", "list", "--json", *here))[0]["policy_version"]
    told(capsys, "policy", "rollback", first, *here)
    decided(data, 9, 500)
    shown = json.loads(told(capsys, "transactions", "show", "t9", *here, "--json"))["decision"]
    assert not [name for name in shown["features"] if name.startswith("model.")]
