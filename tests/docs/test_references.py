"""What can be set, watched, asked and met is in the documents, and what they name exists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shroff.api.gateway.entries import entry_in
from shroff.api.gateway.gauges import Reading
from shroff.api.gateway.metrics import Counts, exposition
from shroff.core.chains import LEAVES, POINTS, ROOM, TILES
from shroff.core.distincts import KEPT
from shroff.core.errors import Rejected
from shroff.core.expression import FUNCTIONS
from shroff.core.features import ALL_OPERATIONS, LONGEST_WINDOW
from shroff.core.policy import OUTCOMES, TRANSACTION_NAMES, WINDOW_NAMES
from shroff.flows.keys import SCOPES
from shroff.flows.report.rows import COLUMNS
from shroff.runtimes.settings import Settings, Smtp, Webhook, read_settings
from shroff.simulator import TYPOLOGIES
from tests.docs.pages import PAGES, ROOT, cells, prose, text

SOURCE = ROOT / "src" / "shroff"
OPERATIONS_PAGE, POLICY_PAGE, HTTP_PAGE = (
    text("docs/operations.md"),
    text("docs/policy.md"),
    text("docs/http.md"),
)
GOOD = {"transaction_id": "txn-1", "amount": 99.99, "timestamp": 1700000000}
TERMS = """
transaction · entity · feature · window · tile · velocity · rule · hit · reason · score · policy · outcome
policy_version · decision · alert · case · disposition · label · champion · challenger · shadow · backtest
replay · promote · sweep · dead letter · redrive · drift (PSI) · alert rate · precision · recall
value detection rate · card precision@k · allowlist · blocklist · backpressure · poison message · batch
chain · point · snapshot · conservation · high-water mark · gateway · worker · queue · ledger · observe
state · finding · audit · report · fault
"""


def code(page: str) -> list[str]:
    """All spans of code in a page."""
    return re.findall(r"`([^`\n]+)`", prose(page))


# Settings


@pytest.mark.parametrize("struct", [Settings, Webhook, Smtp])
def test_every_setting_is_in_a_table_with_its_default(struct: type[msgspec.Struct]) -> None:
    shown = {row[0].strip("`"): row[1].strip("`") for row in cells(OPERATIONS_PAGE) if len(row) == 3}
    for field in msgspec.structs.fields(struct):
        if field.name in {"webhook", "smtp"}:
            assert f"`[{field.name}]`" in OPERATIONS_PAGE
        else:
            assert shown[field.name] == _shown(field.default)


def _shown(default: Any) -> str:
    if default is msgspec.NODEFAULT:
        return ""
    if default is None:
        return "unset"
    if isinstance(default, bool):
        return str(default).lower()
    return str(list(default) if isinstance(default, tuple) else default)


def test_what_the_environment_gives_goes_before_the_file(tmp_path: Path) -> None:
    commands = {"SHROFF_DATA", "SHROFF_DEBUG", "SHROFF_RUNTIME", "SHROFF_SUFFIX"}
    named = set(re.findall(r"`(SHROFF_[A-Z_]+)[=`]", OPERATIONS_PAGE)) - commands
    assert len(named) == 3
    (tmp_path / "settings.toml").write_text(text("examples/settings.toml"))
    settings = read_settings(tmp_path, dict.fromkeys(named, "50000"))
    assert settings.webhook is not None
    assert settings.smtp is not None
    found = (settings.high_water, settings.webhook.secret, settings.smtp.password)
    assert found == (50_000, "50000", "50000")


# Metrics


def exported() -> dict[str, str]:
    """The metrics as Prometheus knows them: name → type."""
    counts = Counts()
    counts.request("/transactions", 202, 0.001)
    counts.group(1)
    reading = Reading(
        accepted=1, decided=1, dead_lettered=0, retrying=0, in_flight=0, alerts=0,
        outcomes=dict.fromkeys(OUTCOMES, 0), lag=0.0,
        labels={"fraud": 1, "legitimate": 1, "learned": 0, "passed": 0},
    )  # fmt: skip
    found = re.findall(r"^# TYPE (\S+) (\S+)$", exposition(counts, reading).decode(), re.MULTILINE)
    return dict(found)


def test_every_metric_is_explained_and_no_other() -> None:
    named = {row[0].strip("`") for row in cells(OPERATIONS_PAGE) if row[0].startswith("`shroff_")}
    assert named == set(exported())


def test_alarms_ask_for_metrics_that_exist() -> None:
    metrics = exported()
    series = set(metrics)
    series |= {
        f"{name}_{part}"
        for name, kind in metrics.items()
        if kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    rules = text("docs/prometheus-rules.yml")
    asked = set(re.findall(r"\bshroff_\w+", rules))
    assert {"shroff_audit_gap", "shroff_worker_lag_seconds", "shroff_dead_lettered"} <= asked <= series
    assert "\t" not in rules


def test_every_alarm_says_what_to_do() -> None:
    alarms = text("docs/prometheus-rules.yml").split("- alert: ")[1:]
    for alarm in alarms:
        assert all(f"{key}:" in alarm for key in ("expr", "severity", "summary", "action")), alarm
    assert len(alarms) >= 8


def test_log_events_that_are_explained_are_logged() -> None:
    rows = cells(OPERATIONS_PAGE.partition("Events worth an alarm")[2].partition("$ shroff doctor")[0])
    events = {event for row in rows for event in re.findall(r"`(\w+)`", row[0])}
    logged = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    assert events
    assert {event for event in events if f'"{event}"' not in logged} == set()


# The policy


def test_every_rule_function_is_explained_as_it_explains_itself() -> None:
    shown = {tuple(row[:2]) for row in cells(POLICY_PAGE)}
    assert {(f"`{each.usage}`", each.meaning) for each in FUNCTIONS.values()} - shown == set()


def test_every_feature_operation_is_explained_as_it_explains_itself() -> None:
    shown = {tuple(row[:2]) for row in cells(POLICY_PAGE)}
    assert {(f"`{name}`", meaning) for name, meaning in ALL_OPERATIONS.items()} - shown == set()
    assert "| `FIELD_distinct` |" in POLICY_PAGE


def test_the_bounds_of_windows_are_as_the_page_says() -> None:
    page = " ".join(POLICY_PAGE.split())
    assert f"at most {ROOM} records a window" in page
    assert f"until {LEAVES} are left; the newest {POINTS} stay single events" in page
    assert f"a {TILES}th of its length" in page
    assert f"Below {KEPT} different values the count is exact" in page
    assert f"at most {LONGEST_WINDOW // 86_400_000} days long" in page
    assert f"outgrows {ROOM} records" in " ".join(text("ARCHITECTURE.md").split())


def test_every_name_of_the_rule_language_is_on_the_page() -> None:
    assert {*TRANSACTION_NAMES, *WINDOW_NAMES, *OUTCOMES} - set(code(POLICY_PAGE)) == set()


# The wire


def sentences(folder: Path, *functions: str) -> Iterator[str]:
    """The sentences that calls of these functions are given, as patterns."""
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
        tree = ast.parse(path.read_text())
        named = {
            target.id: node.value
            for node in ast.walk(tree) if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if getattr(call.func, "attr", getattr(call.func, "id", "")) in functions:
                for argument in call.args:
                    said = named.get(argument.id) if isinstance(argument, ast.Name) else argument
                    yield from filter(None, [_pattern(said)])


def _pattern(node: ast.expr | None) -> str | None:
    """A text of several words as a pattern of what it can say."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        pattern = re.escape(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = (re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in node.values)
        pattern = "".join(parts)
    else:
        return None
    return pattern if r"\ " in pattern else None


ANSWERS = sorted(set(sentences(SOURCE / "api" / "gateway", "problem", "busy")))
FAULTS = sorted(
    {
        *sentences(SOURCE / "core" / "transaction.py", "fault"),
        *sentences(SOURCE / "core" / "money.py", "ValueError"),
    }
)


@pytest.mark.parametrize("sentence", [*ANSWERS, *FAULTS])
def test_every_error_sentence_is_on_the_page(sentence: str) -> None:
    assert any(re.fullmatch(sentence, each) for each in code(HTTP_PAGE))


def test_the_sentences_of_the_contract_are_on_the_page() -> None:
    contract = {"Invalid JSON in request body", "Missing required field: amount", "Amount must be positive"}
    assert contract <= set(code(HTTP_PAGE))
    assert "Transaction accepted for processing" in HTTP_PAGE
    assert len(ANSWERS) > 10
    assert len(FAULTS) > 10


@pytest.mark.parametrize(
    ("posted", "problem"),
    [(row[0].strip("`"), row[1].strip("`")) for row in cells(HTTP_PAGE) if row[0].startswith("`{")],
)
def test_each_fault_on_the_page_is_answered_so(posted: str, problem: str) -> None:
    # By hand, since a member that is there twice is one of the faults.
    others = [
        f"{json.dumps(name)}: {json.dumps(value)}"
        for name, value in GOOD.items()
        if f'"{name}"' not in posted
    ]
    body = "{" + ", ".join([*others, posted.strip("{}")]) + "}"
    with pytest.raises(Rejected) as refused:
        entry_in(body.encode(), currency="USD", received_at=0)
    assert [fault.problem for fault in refused.value.faults] == [problem]


def test_every_status_and_scope_of_the_gateway_is_on_the_page() -> None:
    source = "".join(path.read_text() for path in (SOURCE / "api" / "gateway").rglob("*.py"))
    statuses = set(re.findall(r"\b(?:problem|Answer)\((\d{3})\b", source)) | {"503"}
    assert statuses <= set(re.findall(r"\b\d{3}\b", HTTP_PAGE))
    assert set(SCOPES) <= set(code(HTTP_PAGE))


# Data


def test_every_column_of_the_report_is_explained() -> None:
    assert {column for column in COLUMNS if f"`{column}`" not in text("docs/data.md")} == set()


def test_every_typology_is_explained() -> None:
    assert {row[0].strip("`") for row in cells(text("docs/data.md"))} >= set(TYPOLOGIES)


# Words


def test_every_term_is_in_the_glossary() -> None:
    entries = re.findall(r"^\*\*(.+?)\*\*", text("GLOSSARY.md"), re.MULTILINE)
    known = {term.strip() for entry in entries for term in entry.split(",")}
    assert {term.strip() for term in re.split("[·\n]", TERMS.strip())} - known == set()


def test_every_term_that_is_not_to_come_names_its_module() -> None:
    present = text("GLOSSARY.md").partition("## Of what is to come")[0]
    entries = [entry for entry in present.split("\n\n") if entry.startswith("**")]
    assert [entry for entry in entries if not re.search(r"`[\w/]+\.(py|toml)`$", entry)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?\.(?:py|toml|sql|yml|lock))`", prose(page.read_text()))
    made = {"settings.toml", "policy.toml", "serve.lock", "worker.lock"}
    roots = (
        ROOT,
        ROOT / "docs",
        SOURCE,
        SOURCE / "policies",
        SOURCE / "api" / "gateway",
        SOURCE / "runtimes",
    )
    missing = [name for name in named if not any((root / name).exists() for root in roots)]
    assert [name for name in missing if name not in made and "NAME" not in name] == []
