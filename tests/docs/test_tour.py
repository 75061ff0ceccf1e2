"""The README's tour, taken: every command in order, every answer as it stands there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shroff.api.gateway.answers import accepted_members, fault_members
from shroff.api.gateway.entries import entry_in
from shroff.cli import options
from shroff.cli.app import app
from shroff.codec import encode
from shroff.core.errors import Rejected
from shroff.flows.lookup import SnapshotNames, lookup
from shroff.runtimes.embedded.deciding import worker_over
from shroff.runtimes.wiring.embedded import open_embedded
from tests.docs.pages import ROOT, Line, lines

SHOP = Path("var/data")
EDITED, EDIT = "customer.count_30d == 0 and amount > 2000", "customer.count_30d == 0 and amount > 200"


def answered(line: Line) -> str:
    """What the gateway of the tour answers to a curl."""
    path, body = line.words[2].partition("/")[2], line.words[-1].encode()
    embedded = open_embedded(SHOP)
    try:
        entry = entry_in(body, currency="USD", received_at=0)
        (receipt,) = embedded.queue.append([entry])
        if path == "transactions":
            return encode(accepted_members(receipt)).decode()
        worker_over(embedded).step()
        store = embedded.store
        found = lookup(
            entry.transaction_id,
            embedded.queue,
            store.ledger,
            store.dead_letters,
            SnapshotNames(store.policies),
        )
        return json.dumps(found and found["decision"])
    except Rejected as refused:
        return encode(fault_members(refused.faults)).decode()
    finally:
        embedded.close()


def told(line: Line, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints."""
    capsys.readouterr()
    app(line.words[1:], result_action="return_value", print_error=False, exit_on_error=False)
    return capsys.readouterr().out.rstrip()


def alike(said: str, shown: str) -> bool:
    """Whether an answer is what the page shows of it; there, … stands for what is left out."""
    if shown.startswith("{"):
        expected: dict[str, Any] = json.loads(shown.replace("{…}", '"…"'))
        found = json.loads(said)
        return found.keys() == expected.keys() and all(
            value in ("…", found[name]) for name, value in expected.items()
        )
    pairs = [
        (each.rstrip(), other.rstrip())
        for each, other in zip(said.splitlines(), shown.splitlines(), strict=False)
    ]
    whole = "…" in shown or len(said.splitlines()) == len(shown.splitlines())
    return whole and all(other in ("…", each) for each, other in pairs)


def test_the_tour_of_the_readme_goes_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with capture_logs():
        take(tmp_path, monkeypatch, capsys)


def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Go through the tour in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHROFF_DATA", raising=False)
    monkeypatch.setattr(options, "configure_logs", lambda _: None)  # it is for the whole process
    tour = lines(ROOT / "README.md")
    assert len(tour) > 12
    outcomes = {}
    for line in tour:
        if line.words[0] == "curl":
            said = answered(line)
            outcomes[json.loads(line.words[-1]).get("transaction_id")] = json.loads(said).get("outcome")
        elif line.words[0] != "shroff" or line.words[1] == "serve":
            continue
        elif line.words[1:3] == ["policy", "diff"]:
            policy = Path("policy.toml")
            assert EDITED in policy.read_text()
            policy.write_text(policy.read_text().replace(EDITED, EDIT))
            said = told(line, capsys)
            assert EDIT in said
        else:
            said = told(line, capsys)
        if ">" in line.command and line.words[0] == "shroff":
            Path(line.command.rpartition("> ")[2]).write_text(said + "\n")
        assert not line.answer or alike(said, line.answer), f"{line}\nshown: {line.answer}\nsaid:  {said}"
    assert outcomes["txn-12347"] == "challenge"
