"""Commands in the documents exist, and all that exist are in the documents."""

from __future__ import annotations

import re
from inspect import Parameter

import pytest
from cyclopts import App

from shroff.cli.app import app
from tests.docs.pages import ENTRANCE, PAGES, ROOT, Line, blocks, cells, lines, text

LINES = [line for page in PAGES for line in lines(page)]
SHOWN = [line for line in LINES if line.words[:1] == ["shroff"]]
MAKE = re.compile(r"\bmake ([a-z]+)\b")
VERBS = set(re.findall(r"^([a-z]+):.*## ", text("Makefile"), re.MULTILINE))


def commands(of: App = app, before: str = "shroff") -> dict[str, App]:
    """All commands, by what one types: `shroff policy check`."""
    found: dict[str, App] = {}
    for name in (each for each in of if not each.startswith("-")):
        nested = commands(of[name], f"{before} {name}")
        found |= nested or {f"{before} {name}": of[name]}
    return found


@pytest.mark.parametrize("line", SHOWN, ids=str)
def test_a_command_that_is_shown_can_be_given_so(line: Line) -> None:
    function, bound, _ = app.parse_args(line.words[1:], print_error=False, exit_on_error=False)
    assert callable(function)
    assert bound.signature.parameters.keys() >= bound.arguments.keys()


def test_every_page_for_users_shows_commands() -> None:
    assert {line.page for line in SHOWN} >= {
        "README.md",
        "docs/operations.md",
        "docs/policy.md",
        "docs/data.md",
    }


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=list(commands()))
def test_every_command_is_in_the_table_with_its_options(name: str, command: App) -> None:
    rows = [row for row in cells(text("docs/operations.md")) if row[0] == f"`{name}`"]
    assert len(rows) == 1
    options = command.assemble_argument_collection()
    own = {each.names[0] for each in options if each.field_info.kind is Parameter.KEYWORD_ONLY}
    own -= {"*", "--data", "--json", "--runtime", "--suffix"}
    assert set(re.findall(r"`(--[a-z-]+)`", rows[0][1])) == own


def test_the_table_has_no_command_that_does_not_exist() -> None:
    named = {row[0].strip("`") for row in cells(text("docs/operations.md")) if row[0].startswith("`shroff ")}
    assert named == set(commands())


def test_the_readme_opens_with_two_commands() -> None:
    before_the_first_section = text("README.md").partition("\n## ")[0]
    (opening,) = blocks(before_the_first_section, "sh")
    assert [line.partition("#")[0].strip() for line in opening.splitlines()] == ["make run", "make test"]


def test_every_make_verb_that_is_named_exists() -> None:
    asked = {verb for page in PAGES for code in _code(page.read_text()) for verb in MAKE.findall(code)}
    assert {"run", "test", "check", "setup"} <= asked <= VERBS


def test_every_make_verb_is_explained_to_contributors() -> None:
    assert {row[0].strip("`").removeprefix("make ") for row in cells(text("CONTRIBUTING.md"))} >= VERBS


def test_the_entrance_is_complete() -> None:
    assert all((ROOT / name).exists() for name in ENTRANCE)


def _code(page: str) -> list[str]:
    fenced = [block for language in ("sh", "") for block in blocks(page, language)]
    return [*fenced, *re.findall(r"`([^`\n]+)`", page)]
